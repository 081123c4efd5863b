from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.language import direction, guess_language, normalise_language

TEXTS = [
    (
        "en",
        "The ferry to the island will not run this winter, and the people there said they had not been told.",
    ),
    ("en", "Harbour master resigns after the storm that took the pier"),
    ("en", "He said that it was the first time they had seen it."),
    (
        "de",
        "Die Fähre zur Insel fährt in diesem Winter nicht, und die Bewohner haben davon nichts gewusst.",
    ),
    ("de", "Der Bürgermeister ist nach dem Sturm nicht mehr im Amt"),
    (
        "fr",
        "Le ferry pour l'île ne partira pas cet hiver, et les habitants ne sont pas au courant.",
    ),
    ("fr", "Les élèves de la ville sont dans la rue pour une école plus grande"),
    (
        "es",
        "El ferri a la isla no saldrá este invierno, y los vecinos dicen que nadie les avisó.",
    ),
    ("es", "La alcaldesa de la ciudad explica por qué se cierra el puerto"),
    (
        "it",
        "Il traghetto per l'isola non partirà questo inverno e gli abitanti dicono che nessuno li ha avvisati.",
    ),
    ("it", "Il sindaco della città spiega perché il porto è chiuso anche per i pescatori"),
    (
        "pt",
        "A balsa para a ilha não vai sair neste inverno, e os moradores dizem que não foram avisados.",
    ),
    ("pt", "O prefeito da cidade explica por que o porto não abre mais aos domingos"),
    (
        "nl",
        "De veerboot naar het eiland vaart deze winter niet, en de bewoners zeggen dat ze dat niet wisten.",
    ),
    ("nl", "De burgemeester van het dorp is niet meer in functie"),
    (
        "pl",
        "Prom na wyspę nie będzie kursował tej zimy, a mieszkańcy mówią, że nikt ich o tym nie uprzedził.",
    ),
    (
        "tr",
        "Adaya giden feribot bu kış çalışmayacak ve ada halkı kendilerine bir şey söylenmediğini anlatıyor.",
    ),
    ("uk", "Пором до острова цієї зими не ходитиме, і мешканці кажуть, що їх про це ніхто не попередив."),
    ("uk", "Мер міста пояснив, чому порт закрито для рибалок"),
    (
        "ru",
        "Паром до острова этой зимой ходить не будет, и жители говорят, что их об этом никто не предупредил.",
    ),
    ("ru", "Мэр города объяснил, почему порт закрыт для рыбаков и что было после этого"),
    ("ar", "لن تبحر العبارة إلى الجزيرة هذا الشتاء ويقول السكان إن أحدا لم يخبرهم بالقرار"),
    ("he", "המעבורת לאי לא תפליג החורף והתושבים אומרים שאיש לא הודיע להם"),
    ("zh", "今年冬天渡轮将不再开往该岛，居民们表示没有人通知他们。"),
    ("zh", "港口关闭三天"),
    ("ja", "この冬、島へのフェリーは運航されず、住民は知らされていなかったと話している。"),
    ("ko", "올겨울 섬으로 가는 여객선이 다니지 않을 예정이며 주민들은 통보받지 못했다고 말했다."),
]

UNSURE = [
    "",
    "   ",
    "OK",
    "12345 67890",
    "Ann Lee",
    "AFP",
    "!!!",
    "Lorem ipsum dolor",
    "Київ",
    "https://a.example/b",
    "The mayor of the city said that it was over und der Rat hat nicht auf die Stadt gehört",
    "😀" * 40,
    "Oslo Helsinki Stockholm Göteborg Malmö",
]


@pytest.mark.parametrize(
    ("language", "text"), TEXTS, ids=[f"{language}{index}" for index, (language, _) in enumerate(TEXTS)]
)
def test_a_sentence_is_recognised(language, text):
    assert guess_language(text) == language


@pytest.mark.parametrize("text", UNSURE)
def test_too_little_or_mixed_text_is_not_guessed_at(text):
    assert guess_language(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "این کشتی زمستان امسال به جزیره نمی‌رود و مردم می‌گویند کسی به آنها نگفته است",
        "جزیرے تک جانے والی کشتی اس سردی میں نہیں چلے گی اور لوگ کہتے ہیں کہ انہیں بتایا نہیں گیا",
        "Færgen til øen sejler ikke i vinter, siger beboerne, som ingen havde fortalt noget om beslutningen",
        "Фериботът до острова няма да плава тази зима и жителите казват, че никой не ги е предупредил за това",
        "Трајект до острва ове зиме неће саобраћати, а мештани кажу да их нико није обавестио",
    ],
)
def test_a_language_we_do_not_know_is_not_taken_for_one_we_do(text):
    assert guess_language(text) == ""


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("de", "de"),
        ("de-DE", "de"),
        ("DE_at", "de"),
        ("zh-Hant-TW", "zh"),
        ("en-us", "en"),
        ("eng", "en"),
        ("iw", "he"),
        (" fr ", "fr"),
        ("gsw", "gsw"),
        ("sr-Latn-RS", "sr"),
        ("und", ""),
        ("mul", ""),
        ("", ""),
        ("english", ""),
        ("d", ""),
        ("<script>", ""),
        ("de;q=0.5", ""),
        ("x" * 10_000, ""),
    ],
)
def test_a_tag_is_reduced_to_its_language(tag, expected):
    assert normalise_language(tag) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ar", "rtl"),
        ("ar-EG", "rtl"),
        ("he", "rtl"),
        ("iw", "rtl"),
        ("fa", "rtl"),
        ("ur-PK", "rtl"),
        ("en", "ltr"),
        ("", "ltr"),
        ("zh", "ltr"),
    ],
)
def test_the_direction_follows_the_language(language, expected):
    assert direction(language) == expected


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_a_known_language_or_none(text):
    assert guess_language(text) in {language for language, _ in TEXTS} | {""}
