"""What a mailbox follows, in whichever letters it was written."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("readers", "0001_initial")]
    operations = [
        migrations.AddIndex(
            model_name="subscription", index=models.Index(Lower("email"), name="subscription_mailbox")
        ),
    ]
