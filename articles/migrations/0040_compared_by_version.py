"""No lease on each article that is being compared: what was read is told by the article's version.

The column stays in the table, empty and unasked: to drop it SQLite would write every article anew.
"""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("articles", "0039_no_title_day_index")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("article", "comparing_until")]
        )
    ]
