"""What a withheld article said, enciphered."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0008_tagged_newest"),
        ("moderation", "0005_lookups"),
    ]

    operations = [
        migrations.CreateModel(
            name="Escrow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token", models.CharField(editable=False, max_length=32, unique=True)),
                ("content", models.BinaryField()),
                ("sealed_at", models.DateTimeField()),
                (
                    "files",
                    models.JSONField(default=list, help_text="Readable files that are still to be deleted."),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "article",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="articles.article"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="escrow_due"
                    )
                ],
            },
        ),
    ]
