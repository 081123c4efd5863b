"""Ready words for decisions, in the five languages we write in. An editor of the desk changes them in the admin."""

from __future__ import annotations

from typing import Any

from django.db import migrations

WORDS = {
    "licensed": {
        "en": ("A licence covers it", "We may show this work under a licence. It names the work, its term has not ended, and it covers this kind of use."),
        "de": ("Eine Lizenz deckt es", "Wir dürfen dieses Werk aufgrund einer Lizenz zeigen. Sie nennt das Werk, läuft noch und umfasst diese Art der Nutzung."),
        "fr": ("Une licence le couvre", "Une licence nous autorise à montrer cette œuvre. Elle désigne l'œuvre, court toujours et couvre ce type d'utilisation."),
        "es": ("Una licencia lo cubre", "Podemos mostrar esta obra en virtud de una licencia. Nombra la obra, sigue vigente y cubre este tipo de uso."),
        "uk": ("Є ліцензія", "Ми маємо ліцензію на показ цього твору. У ній названо твір, вона чинна й охоплює таке використання."),
    },
    "not_the_owner": {
        "en": ("Somebody else owns it", "As far as we can see the rights in this work belong to somebody else. Send us what shows that they are yours, or that you may act for their owner, and we look again."),
        "de": ("Die Rechte liegen bei anderen", "Soweit wir sehen, liegen die Rechte an diesem Werk bei jemand anderem. Senden Sie uns, was Ihre Rechte oder Ihre Vollmacht belegt, dann prüfen wir erneut."),
        "fr": ("Les droits sont à un autre", "D'après ce que nous voyons, les droits sur cette œuvre appartiennent à quelqu'un d'autre. Envoyez-nous ce qui montre qu'ils sont à vous, ou que vous agissez pour leur titulaire, et nous réexaminerons."),
        "es": ("Los derechos son de otro", "Por lo que vemos, los derechos de esta obra pertenecen a otra persona. Envíenos lo que demuestre que son suyos o que actúa por su titular, y lo revisaremos."),
        "uk": ("Права належать іншому", "Наскільки ми бачимо, права на цей твір належать комусь іншому. Надішліть нам підтвердження ваших прав або повноважень, і ми розглянемо ще раз."),
    },
    "not_protected": {
        "en": ("Only facts, headline or link", "What we show is a headline, a link to the original and a very short extract, or facts that anybody may report. None of this is protected."),
        "de": ("Nur Fakten, Überschrift oder Link", "Wir zeigen eine Überschrift, einen Link zum Original und einen sehr kurzen Auszug oder Tatsachen, über die jeder berichten darf. Nichts davon ist geschützt."),
        "fr": ("Faits, titre ou lien seulement", "Nous montrons un titre, un lien vers l'original et un très court extrait, ou des faits que chacun peut rapporter. Rien de cela n'est protégé."),
        "es": ("Solo hechos, titular o enlace", "Mostramos un titular, un enlace al original y un extracto muy breve, o hechos que cualquiera puede contar. Nada de eso está protegido."),
        "uk": ("Лише факти, заголовок чи посилання", "Ми показуємо заголовок, посилання на оригінал і дуже короткий уривок або факти, про які може повідомляти кожен. Це не охороняється."),
    },
    "exception": {
        "en": ("Quotation or reporting", "The law allows this use: a quotation that names its source, or reporting on an event of the day, no longer than its purpose needs."),
        "de": ("Zitat oder Berichterstattung", "Das Gesetz erlaubt diese Nutzung: ein Zitat mit Quellenangabe oder die Berichterstattung über ein Tagesereignis, nicht länger als nötig."),
        "fr": ("Citation ou compte rendu", "La loi permet cette utilisation : une citation qui nomme sa source, ou le compte rendu d'un événement d'actualité, pas plus long que nécessaire."),
        "es": ("Cita o información", "La ley permite este uso: una cita que nombra su fuente o la información sobre un hecho de actualidad, no más larga de lo necesario."),
        "uk": ("Цитата або повідомлення", "Закон дозволяє таке використання: цитату із зазначенням джерела або повідомлення про поточну подію, не довше, ніж потрібно."),
    },
    "other_work": {
        "en": ("Another work", "The article at the address you named does not contain the work you describe. Perhaps another address was meant: send it, and it becomes part of your case."),
        "de": ("Ein anderes Werk", "Der Artikel unter der genannten Adresse enthält das beschriebene Werk nicht. Vielleicht war eine andere Adresse gemeint: Senden Sie sie, dann gehört sie zu Ihrem Vorgang."),
        "fr": ("Une autre œuvre", "L'article à l'adresse indiquée ne contient pas l'œuvre décrite. Une autre adresse était peut-être visée : envoyez-la et elle sera jointe à votre dossier."),
        "es": ("Otra obra", "El artículo de la dirección indicada no contiene la obra descrita. Quizá se refería a otra dirección: envíela y formará parte de su caso."),
        "uk": ("Інший твір", "Стаття за вказаною адресою не містить описаного твору. Можливо, ви мали на увазі іншу адресу: надішліть її, і вона ввійде до вашої справи."),
    },
    "abuse": {
        "en": ("Manifestly unfounded", "The notice is manifestly unfounded: without any further examination it is plain that the right it names does not exist or is not touched."),
        "de": ("Offensichtlich unbegründet", "Die Meldung ist offensichtlich unbegründet: Ohne nähere Prüfung ist klar, dass das genannte Recht nicht besteht oder nicht berührt ist."),
        "fr": ("Manifestement infondée", "La demande est manifestement infondée : sans examen approfondi, il est clair que le droit invoqué n'existe pas ou n'est pas touché."),
        "es": ("Manifiestamente infundada", "La solicitud es manifiestamente infundada: sin más examen queda claro que el derecho invocado no existe o no resulta afectado."),
        "uk": ("Явно безпідставне", "Звернення явно безпідставне: і без детального розгляду зрозуміло, що названого права немає або його не порушено."),
    },
    "part_only": {
        "en": ("Only a part is yours", "Only the part we removed is yours. The rest was written by others and stays."),
        "de": ("Nur ein Teil gehört Ihnen", "Nur der entfernte Teil gehört Ihnen. Das Übrige haben andere geschrieben und bleibt."),
        "fr": ("Une partie seulement est à vous", "Seule la partie retirée est à vous. Le reste a été écrit par d'autres et reste."),
        "es": ("Solo una parte es suya", "Solo la parte retirada es suya. El resto lo escribieron otros y se queda."),
        "uk": ("Вам належить лише частина", "Вам належить лише вилучена частина. Решту написали інші, і вона лишається."),
    },
    "owner_asked": {
        "en": ("The owner asked", "You asked for it as the owner. That is enough for us."),
        "de": ("Der Inhaber wünscht es", "Sie haben es als Inhaber der Rechte verlangt. Das genügt uns."),
        "fr": ("Le titulaire l'a demandé", "Vous l'avez demandé en tant que titulaire des droits. Cela nous suffit."),
        "es": ("El titular lo pidió", "Usted lo pidió como titular de los derechos. Eso nos basta."),
        "uk": ("Власник попросив", "Ви попросили про це як власник прав. Нам цього достатньо."),
    },
}  # fmt: skip


def add(apps: Any, schema_editor: Any) -> None:
    canned = apps.get_model("moderation", "CannedReason")
    canned.objects.bulk_create(
        canned(reason_code=code, language=language, title=title, text=text)
        for code, languages in WORDS.items()
        for language, (title, text) in languages.items()
    )


class Migration(migrations.Migration):
    dependencies = [("moderation", "0012_desk")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
