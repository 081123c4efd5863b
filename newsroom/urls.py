"""Every address of the site; the public ones are registered surfaces (articles.surfaces)."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from articles import media
from newsroom import api, health, metrics

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    path("media/<slug:token>/<int:width>.webp", media.picture, name="picture"),
    path("", include("moderation.urls")),
    path("", include("articles.urls")),
]

handler404 = "newsroom.views.not_found"
handler403 = "newsroom.views.forbidden"
handler400 = "newsroom.views.bad_request"
handler500 = "newsroom.views.server_error"
