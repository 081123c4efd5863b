"""The newest articles are read in the order of an index; SQLite did not use the partial ones and sorted."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0005_stories"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="article",
            name="article_newest",
        ),
        migrations.RemoveIndex(
            model_name="article",
            name="article_newest_of_source",
        ),
        migrations.AddIndex(
            model_name="article",
            index=models.Index(fields=["state", "-published_at", "-id"], name="article_newest"),
        ),
        migrations.AddIndex(
            model_name="article",
            index=models.Index(
                fields=["source", "state", "-published_at", "-id"], name="article_newest_of_source"
            ),
        ),
    ]
