"""Without indexes that another one begins with: each article was written into seven of them for nobody.

Dropped by name: to alter the fields would, on SQLite, write the tables anew and lose their triggers. The words that
slips are led to are, on SQLite, kept in their key's own tree instead of beside it: half the room, half the writing.
"""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

COVERED = (
    "articles_article_source_id_9a8869ea",
    "articles_contribution_article_id_c6088a08",
    "articles_contribution_contributor_id_513c9dd5",
    "articles_taggedarticle_content_object_id_c4150235",
    "articles_taggedarticle_tag_id_23d7d828",
)
# For LIKE, which nobody asks of these.
OF_POSTGRESQL = ("articles_article_slug_cc61df93_like", "articles_article_url_key_1f054d7a_like")
SLIPS = (
    "CREATE TABLE articles_searchslip_new (slip text NOT NULL, word text NOT NULL, PRIMARY KEY (slip, word))"
    " WITHOUT ROWID",
    "INSERT INTO articles_searchslip_new SELECT slip, word FROM articles_searchslip ORDER BY slip, word",
    "DROP TABLE articles_searchslip",
    "ALTER TABLE articles_searchslip_new RENAME TO articles_searchslip",
)


def drop(apps: Any, schema_editor: Any) -> None:
    on_sqlite = schema_editor.connection.vendor == "sqlite"
    for name in COVERED if on_sqlite else (*COVERED, *OF_POSTGRESQL):
        schema_editor.execute(f"DROP INDEX IF EXISTS {name}", params=None)
    for statement in SLIPS if on_sqlite else ():
        schema_editor.execute(statement, params=None)


def no_index(model: str, name: str, to: str, related_name: str = "", **options: Any) -> migrations.AlterField:
    options |= {"related_name": related_name} if related_name else {}
    options = {"on_delete": django.db.models.deletion.CASCADE, **options}
    return migrations.AlterField(model, name, models.ForeignKey(to=f"articles.{to}", db_index=False, **options))


class Migration(migrations.Migration):
    dependencies = [("articles", "0034_fragment")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, migrations.RunPython.noop)],
            state_operations=[
                no_index(
                    "article",
                    "source",
                    "source",
                    "articles",
                    null=True,
                    blank=True,
                    on_delete=django.db.models.deletion.PROTECT,
                ),
                no_index("contribution", "article", "article", "contributions"),
                no_index(
                    "contribution",
                    "contributor",
                    "contributor",
                    "contributions",
                    on_delete=django.db.models.deletion.PROTECT,
                ),
                no_index("taggedarticle", "content_object", "article"),
                no_index("taggedarticle", "tag", "tag", "tagged"),
            ],
        )
    ]
