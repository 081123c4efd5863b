"""What came in by feeds waits in a list of its own for its search rows."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0031_spelling"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchOwed",
            fields=[
                ("due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("lease_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("lease_token", models.CharField(blank=True, default="", editable=False, max_length=32)),
                ("attempts", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "article",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="articles.article",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["due_at"], name="search_owed_due")],
            },
        ),
    ]
