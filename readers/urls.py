"""Addresses of following by e-mail."""

from __future__ import annotations

from django.urls import URLPattern, path

from readers import views

urlpatterns: list[URLPattern] = [
    path("follow/", views.follow, name="follow"),
    path("follow/<slug:token>/", views.subscription, name="subscription"),
    path("follow/<slug:token>/stop/", views.stop, name="stop-following"),
]
