"""Parts of articles that stay away."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0009_who_began_it"),
    ]

    operations = [
        migrations.CreateModel(
            name="Cut",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("picture", "The picture"),
                            ("excerpt", "The text, down to an excerpt"),
                            ("headline", "The text, down to the headline"),
                            ("name", "One name"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "name_key",
                    models.CharField(
                        blank=True, editable=False, help_text="SHA-256 of the name.", max_length=64
                    ),
                ),
                (
                    "reference",
                    models.CharField(help_text="Whose cut it is, such as claim:42.", max_length=80),
                ),
                ("placed_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "article",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cuts",
                        to="articles.article",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("article", "reference"),
                        name="cut_once",
                    )
                ],
            },
        ),
    ]
