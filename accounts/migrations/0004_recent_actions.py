"""What somebody did last, on the desk's first page, without sorting all that they ever did."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_tokens_and_roles"), ("admin", "0003_logentry_add_action_flag_choices")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX admin_log_recent ON django_admin_log (user_id, action_time DESC)",
            "DROP INDEX admin_log_recent",
        )
    ]
