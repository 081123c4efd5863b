"""An index by which the holds of one reference are read in portions."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    lock_note = "Holds are few beside articles; placing one waits while those that stand are read once."
    dependencies = [("articles", "0036_avif")]
    operations = [
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("released_at__isnull", True)),
                fields=["reference", "id"],
                name="hold_reference",
            ),
        ),
    ]
