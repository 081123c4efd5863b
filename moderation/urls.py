"""Addresses of this app."""

from __future__ import annotations

from django.urls import URLPattern, path

from moderation import answer_views, owner_views, public, views

urlpatterns: list[URLPattern] = [
    path("transparency/", public.log, name="transparency"),
    path("transparency/log.csv", public.sheet, name="transparency-csv"),
    path("transparency/feed.atom", public.feed, name="transparency-feed"),
    path("transparency/key.pem", public.key, name="transparency-key"),
    path("transparency/<int:year>/", public.year, name="transparency-year"),
    path("transparency/<int:year>/figures.csv", public.year_sheet, name="transparency-year-csv"),
    path("transparency/<int:year>/notices.json", public.lumen, name="transparency-lumen"),
    path(
        "transparency/<int:year>/counter-notices.json",
        public.counter_notices,
        name="transparency-counter-notices",
    ),
    path("transparency/<int:year>/statements.json", public.statements, name="transparency-statements"),
    path("removal/", views.removal, name="removal"),
    path("removal/answer/", answer_views.ask, name="removal-answering"),
    path("removal/answer/confirm/<int:pk>/<str:token>/", answer_views.vouch, name="removal-vouch"),
    path(
        "removal/answer/<str:reference>/<int:number>/<str:token>/", answer_views.answer, name="removal-answer"
    ),
    path("removal/<str:secret>/", views.status, name="removal-status"),
    path("removal/<str:secret>/confirm/<str:token>/", views.confirm, name="removal-confirm"),
    path("removal/<str:secret>/complete/", views.complete, name="removal-complete"),
    path("removal/<str:secret>/withdraw/", views.withdraw, name="removal-withdraw"),
    path("removal/<str:secret>/complain/", views.complain, name="removal-complain"),
    path("removal/<str:secret>/prove/", views.prove, name="removal-prove"),
    path("removal/<str:secret>/certificate/<int:number>.json", views.certificate, name="removal-certificate"),
    path("removal/<str:secret>/owner/", owner_views.owner, name="removal-owner"),
    path("removal/<str:secret>/letter/", views.ask_again, name="removal-letter"),
]
