"""Every address of the site; the public ones are registered surfaces (articles.surfaces)."""

from __future__ import annotations

from allauth.account import views as account
from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from aggregator.views import hub
from articles.surfaces import only_read
from newsroom import api, health, metrics, security_events

# Second factors, sessions and single sign-on, beside the admin's own pages and as private as they are.
ACCOUNT = [
    path("login/", RedirectView.as_view(pattern_name="admin:login", query_string=True), name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("factors/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
]
if settings.OIDC_SERVER_URL:
    ACCOUNT += [
        path("sign-on/", include("allauth.socialaccount.urls")),
        path("", include("allauth.socialaccount.providers.openid_connect.urls")),
    ]

urlpatterns = [
    # First what readers ask for most.
    path("", include("articles.urls")),
    path("healthz", only_read(health.alive), name="healthz"),
    path("readyz", only_read(health.ready), name="readyz"),
    path("metrics", only_read(metrics.metrics), name="metrics"),
    path("csp-reports", security_events.policy_report, name="csp_reports"),
    path("admin/account/", include(ACCOUNT)),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    path("websub/<str:token>/", hub, name="websub"),
    path("", include("readers.urls")),
    path("", include("moderation.urls")),
]

handler404 = "newsroom.views.not_found"
handler403 = "newsroom.views.forbidden"
handler400 = "newsroom.views.bad_request"
handler500 = "newsroom.views.server_error"
