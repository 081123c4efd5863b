"""Stories by comparison: what is compared, who is in which story and why, and which text is whose copy."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def without_rowid(apps: Any, schema_editor: Any) -> None:
    """On SQLite the table is its key and nothing else: half the space, one tree to write to."""
    if schema_editor.connection.vendor != "sqlite":
        return
    schema_editor.execute("DROP TABLE articles_comparisonkey", params=None)
    schema_editor.execute(
        """
        CREATE TABLE articles_comparisonkey (
            key bigint NOT NULL, hour integer NOT NULL, article_id bigint NOT NULL,
            PRIMARY KEY (key, hour, article_id)
        ) WITHOUT ROWID
        """,
        params=None,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0004_search"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Comparison",
            fields=[
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
                ("terms", models.BinaryField()),
                ("keys", models.BinaryField(help_text="The keys stored for it.")),
                ("language", models.CharField(blank=True, max_length=12)),
                ("is_short", models.BooleanField(default=False)),
                ("published_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="ComparisonKey",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "key",
                        "hour",
                        "article_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("key", models.BigIntegerField()),
                ("hour", models.IntegerField()),
                ("article_id", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="StoryMembership",
            fields=[
                (
                    "article",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="membership",
                        serialize=False,
                        to="articles.article",
                    ),
                ),
                ("score", models.FloatField(default=0, help_text="How near its nearest report is.")),
                (
                    "nearness",
                    models.FloatField(
                        default=0, help_text="Sum over the reports near it; the highest is the centre."
                    ),
                ),
                ("reasons", models.JSONField(default=list, help_text="Shared words, names and figures.")),
                (
                    "pinned",
                    models.BooleanField(
                        default=False, help_text="An editor's choice; grouping leaves it alone."
                    ),
                ),
                (
                    "own_text",
                    models.BooleanField(default=False, help_text="An editor said that it is nobody's copy."),
                ),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="article",
            name="compared_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="Empty until it was compared with others.", null=True
            ),
        ),
        migrations.AddField(
            model_name="article",
            name="comparing_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="article",
            name="copy_of",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                help_text="The article of another source that had this text first.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="copies",
                to="articles.article",
            ),
        ),
        migrations.AddField(
            model_name="story",
            name="lead",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="led",
                to="articles.article",
            ),
        ),
        migrations.AddField(
            model_name="story",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="merged",
                to="articles.story",
            ),
        ),
        migrations.AlterField(
            model_name="story",
            name="headline",
            field=models.CharField(
                blank=True, help_text="Left empty, it is the headline of the leading article.", max_length=300
            ),
        ),
        migrations.AddIndex(
            model_name="article",
            index=models.Index(
                condition=models.Q(("copy_of__isnull", False)), fields=["copy_of"], name="article_copy"
            ),
        ),
        migrations.AddIndex(
            model_name="article",
            index=models.Index(
                condition=models.Q(("compared_at__isnull", True)),
                fields=["compared_at", "state", "published_at"],
                name="article_to_compare",
            ),
        ),
        migrations.AddIndex(
            model_name="story",
            index=models.Index(
                condition=models.Q(("lead__isnull", False)), fields=["lead"], name="story_lead"
            ),
        ),
        migrations.AddField(
            model_name="storymembership",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="storymembership",
            name="story",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="memberships",
                to="articles.story",
            ),
        ),
        migrations.RunPython(without_rowid, migrations.RunPython.noop),
    ]
