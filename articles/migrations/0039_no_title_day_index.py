"""Without an index over articles that no query reads: a headline's day is looked for among withheld works alone."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("articles", "0038_narrower_index")]
    operations = [migrations.RemoveIndex(model_name="article", name="article_title_day")]
