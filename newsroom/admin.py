"""What of the libraries' own admin pages is ours."""

from __future__ import annotations

from auditlog.models import LogEntry
from django.contrib import admin

from newsroom.audit import AuditAdmin

admin.site.unregister(LogEntry)
admin.site.register(LogEntry, AuditAdmin)
