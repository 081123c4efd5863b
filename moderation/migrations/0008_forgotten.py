"""When a case was forgotten, and which are due."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0007_parts"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="forgotten_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="Since then nothing personal is kept of it.", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False), ("forgotten_at__isnull", True)),
                fields=["closed_at"],
                name="notice_to_forget",
            ),
        ),
    ]
