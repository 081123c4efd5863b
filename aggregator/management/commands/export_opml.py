from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from aggregator.models import Feed
from aggregator.opml import Outline, write_opml


class Command(BaseCommand):
    help = "Writes all feeds as an OPML list to standard output."

    def handle(self, *args: Any, **options: Any) -> None:
        feeds = Feed.objects.select_related("source").order_by("title", "pk")
        outlines = [Outline(feed.url, feed.title, feed.source.homepage, tuple(feed.tags)) for feed in feeds]
        self.stdout.write(write_opml(outlines, settings.SITE_NAME).decode("utf-8"), ending="")
