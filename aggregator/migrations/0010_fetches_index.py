"""Fetches without an index that another one begins with. Dropped by name: SQLite would write the table anew."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("aggregator", "0009_fewer_indexes")]
    operations = [
        migrations.RunSQL(
            "DROP INDEX IF EXISTS aggregator_fetch_feed_id_2775b64d",
            migrations.RunSQL.noop,
            state_operations=[
                migrations.AlterField(
                    "fetch",
                    "feed",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fetches",
                        to="aggregator.feed",
                    ),
                )
            ],
        )
    ]
