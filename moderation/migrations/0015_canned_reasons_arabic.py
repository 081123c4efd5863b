"""The ready words for decisions in Arabic, beside the other languages we write in."""

from __future__ import annotations

from typing import Any

from django.db import migrations

WORDS = {
    "licensed": ("يغطيه ترخيص", "يحق لنا عرض هذا العمل بموجب ترخيص يذكر العمل، ولم تنته مدته، ويشمل هذا النوع من الاستعمال."),
    "not_the_owner": ("الحقوق لغيركم", "يبدو لنا أن حقوق هذا العمل لشخص آخر. أرسلوا إلينا ما يثبت أنها لكم، أو أنه يحق لكم التصرف باسم مالكها، فننظر فيه من جديد."),
    "not_protected": ("وقائع أو عنوان أو رابط فقط", "ما نعرضه عنوان ورابط إلى الأصل ومقتطف قصير جدًّا، أو وقائع يحق لكل أحد نقلها. ولا شيء من ذلك محمي."),
    "exception": ("اقتباس أو نقل للأخبار", "يجيز القانون هذا الاستعمال: اقتباس يذكر مصدره، أو نقل لخبر من أخبار اليوم، لا يزيد على ما تقتضيه غايته."),
    "other_work": ("عمل آخر", "لا يتضمن المقال في العنوان الذي ذكرتموه العمل الذي وصفتموه. لعل المقصود عنوان آخر: أرسلوه فيُضاف إلى قضيتكم."),
    "abuse": ("لا أساس له على نحو ظاهر", "لا أساس للإشعار على نحو ظاهر: فمن دون أي بحث آخر يتضح أن الحق المذكور غير موجود أو لا مساس به."),
    "part_only": ("جزء منه فقط لكم", "الجزء الذي أزلناه وحده لكم. أما الباقي فكتبه آخرون، وهو باقٍ."),
    "owner_asked": ("طلب المالك", "طلبتم ذلك بصفتكم مالك الحقوق، وهذا يكفينا."),
}  # fmt: skip


def add(apps: Any, schema_editor: Any) -> None:
    canned = apps.get_model("moderation", "CannedReason")
    canned.objects.using(schema_editor.connection.alias).bulk_create(
        canned(reason_code=code, language="ar", title=title, text=text) for code, (title, text) in WORDS.items()
    )


class Migration(migrations.Migration):
    dependencies = [("moderation", "0014_counter_notices")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
