"""Ready pages know their build and their serial; changes know their time."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("articles", "0002_serial_and_blocks")]
    operations = [
        migrations.RemoveField("readypage", "content_type"),
        migrations.AddField("readypage", "build", models.CharField(default="", max_length=32)),
        migrations.AddField("readypage", "serial", models.BigIntegerField(default=0)),
        migrations.AlterField("readypage", "stored_at", models.DateTimeField(db_default=Now(), db_index=True)),
        migrations.AddField("surfaceserial", "site", models.BigIntegerField(default=0)),
        # The changes of the last hour are all that is kept; no renderer is that slow.
        migrations.DeleteModel("SurfaceChange"),
        migrations.CreateModel(
            name="SurfaceChange",
            fields=[
                ("key", models.CharField(max_length=240, primary_key=True, serialize=False)),
                ("serial", models.BigIntegerField()),
                ("at", models.DateTimeField(db_default=Now(), db_index=True)),
            ],
        ),
    ]
