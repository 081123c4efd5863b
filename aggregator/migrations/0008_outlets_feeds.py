"""Write with each outlet where the first of its feeds stands."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def name_feeds(apps: Any, schema_editor: Any) -> None:
    feeds = apps.get_model("aggregator", "Feed").objects.filter(source=OuterRef("pk")).order_by("pk")
    apps.get_model("articles", "Source").objects.update(feed_url=Subquery(feeds.values("url")[:1]))


class Migration(migrations.Migration):
    dependencies = [("aggregator", "0007_full_text"), ("articles", "0030_outlets_feed")]

    operations = [migrations.RunPython(name_feeds, migrations.RunPython.noop, elidable=True)]
