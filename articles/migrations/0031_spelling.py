"""Known words under what slips leave of them; on PostgreSQL, search reads the newest articles first."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from articles import spelling

AT_ONCE = 2_000
# Words that nobody can type, marked: those of the headline, the facets, and in which blocks of ids the article lies.
# So the index alone finds a common word among the newest few thousand articles, or in headlines.
MARKED = """array_to_tsvector(
    string_to_array('^' || replace(headline, ' ', ' ^'), ' ') || string_to_array('#' || replace(facets, ' ', ' #'), ' ')
    || ARRAY['#near' || (article_id >> 12), '#far' || (article_id >> 16), '#any'])"""
POSTGRESQL = (
    "DROP INDEX IF EXISTS articles_search_spelling",
    "ALTER TABLE articles_searchrow DROP COLUMN top, DROP COLUMN whole",
    f"""
    ALTER TABLE articles_searchrow
        ADD COLUMN top tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('simple', headline), 'A') || setweight(to_tsvector('simple', names), 'B')
            || setweight(to_tsvector('simple', standfirst), 'C') || {MARKED}
        ) STORED,
        ADD COLUMN whole tsvector GENERATED ALWAYS AS (
            to_tsvector('simple', headline || ' ' || names || ' ' || standfirst || ' ' || body) || {MARKED}
        ) STORED
    """,
    "CREATE INDEX articles_search_top ON articles_searchrow USING gin (top)",
    "CREATE INDEX articles_search_whole ON articles_searchrow USING gin (whole)",
)
SQLITE = ("DROP TABLE articles_searchwords",)


def learn(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("articles", "SearchRow").objects
    last = 0
    while some := list(
        rows.filter(pk__gt=last).order_by("pk").values_list("pk", "headline", "names", "standfirst")[:AT_ONCE]
    ):
        last = some[-1][0]
        spelling.learn(spelling.words_of(text for row in some for text in row[1:]))


def rebuild(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("articles", "0030_outlets_feed")]
    operations = [
        migrations.CreateModel(
            name="SearchSlip",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "slip", "word", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slip", models.TextField(help_text="What is left of the word's beginning.")),
                ("word", models.TextField()),
            ],
        ),
        migrations.RunPython(rebuild, migrations.RunPython.noop),
        migrations.RunPython(learn, migrations.RunPython.noop),
    ]
