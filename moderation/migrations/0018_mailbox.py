"""A mailbox's notices, in whichever letters it was written."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    lock_note = "Read once, addresses alone; a notice that comes meanwhile waits for a second or two."
    dependencies = [("moderation", "0017_objections")]
    operations = [
        migrations.AddIndex(model_name="notice", index=models.Index(Lower("email"), name="notice_mailbox")),
        migrations.RemoveIndex(model_name="notice", name="notice_by_mailbox"),
    ]
