"""Indexes for the filters of the desk's lists."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    lock_note = "Read once for each index; a million articles took half a minute. Feeds wait for so long."
    dependencies = [("articles", "0032_search_owed")]
    operations = [
        migrations.AddIndex(
            model_name="article",
            index=models.Index(fields=["language", "-id"], name="article_language"),
        ),
        migrations.AddIndex(
            model_name="article",
            index=models.Index(fields=["source", "-id"], name="article_of_source"),
        ),
        migrations.AddIndex(
            model_name="contributor",
            index=models.Index(
                condition=models.Q(("is_agency", True)), fields=["name_key"], name="agency_by_name"
            ),
        ),
    ]
