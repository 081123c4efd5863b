"""An edition that is the same every time, with something on every kind of public page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from articles.actions import place_hold
from articles.models import Article, HoldKind, Revision, RevisionKind
from readers import mails
from readers.models import Mailing, MailingKind, Subscription
from tests import factories
from tests.factories import (
    ArticleFactory,
    ContributionFactory,
    RelatedLinkFactory,
    RenditionFactory,
    SourceFactory,
    StoryFactory,
    TagFactory,
)

AT = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
ARABIC_BODY = (
    "<p>خرجت القوارب الأولى فجر الثلاثاء من المرفأ القديم بعد ثلاثة أسابيع من العواصف، وعادت محمّلة عند الظهر.</p>"
    "<h2>قبل الفجر</h2><blockquote><p>«كنا ننتظر هذا اليوم»، قالت ليلى منصور.</p></blockquote>"
    + "<p>وتقول السلطات إن الممر البحري صار آمناً على عمق 14 متراً، وإن العبّارات تعود إلى جدولها المعتاد غداً.</p>"
    * 8
)
SECTIONS = ("Climate", "World", "Culture")


def print_edition() -> dict[str, str]:
    """Put the edition into an empty database; returns the address of each kind of page."""
    for made in (ArticleFactory, SourceFactory, StoryFactory, factories.MediaFactory):
        made.reset_sequence(0)
    for position, name in enumerate(SECTIONS):
        TagFactory(name=name, featured=True, position=position)
    TagFactory(name="Quiet")
    story = StoryFactory(headline="The strait reopens after the storm")
    lead = _full_article(story)
    excerpt = _article(2, source=SourceFactory(usage="excerpt", excerpt_words=12), tags=["World"])
    arabic = _article(
        3, language="ar", headline="الصيادون يعودون إلى المرفأ القديم", tags=["World"], story=story,
        standfirst="بعد ثلاثة أسابيع من العواصف خرجت القوارب الأولى فجر الثلاثاء.", body=ARABIC_BODY,
        people=["سلمى الحداد"], dateline="المرفأ القديم",
    )  # fmt: skip
    for n in range(12):
        _article(10 + n, tags=[SECTIONS[n % 3]])
    RelatedLinkFactory(article=lead, to_article=excerpt)
    withheld, gone = _article(4), _article(5)
    _withhold(withheld, HoldKind.LEGAL)
    _withhold(gone, HoldKind.EDITORIAL)
    return {
        "front": "/",
        "latest": "/latest/",
        "article": lead.get_absolute_url(),
        "excerpt": excerpt.get_absolute_url(),
        "arabic": arabic.get_absolute_url(),
        "story": story.get_absolute_url(),
        "tag": "/tags/climate/",
        "empty": "/tags/quiet/",
        "contributor": "/contributors/ann-ó-briain/",
        "source": lead.source.get_absolute_url(),
        "languages": "/languages/",
        "language": "/languages/ar/",
        "archive": "/archive/",
        "day": f"/archive/{AT:%Y-%m-%d}/",
        "search": "/search/",
        "found": "/search/?q=ferry",
        "not found": "/search/?q=nothingofthekind",
        "rights": "/rights/",
        "about": "/about/",
        "ethics": "/ethics/",
        "corrections": "/corrections/",
        "tools": "/tools/",
        "follow": "/follow/?of=/tags/climate/",
        "subscription": f"/follow/{_subscription().token}/",
        "removal": "/removal/",
        "transparency": "/transparency/",
        "programs": "/api/docs",
        "withheld": withheld.get_absolute_url(),
        "gone": gone.get_absolute_url(),
        "missing": "/articles/nowhere-to-be-found/",
    }


def digest() -> str:
    """The mail that tells of the edition, as HTML."""
    mailing = Mailing.objects.create(
        subscription=Subscription.objects.get(), kind=MailingKind.DIGEST, created_at=AT,
        since=AT - timedelta(days=1), until=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    message, _ = mails.compose(mailing)
    assert message
    return str(message.alternatives[0].content)


def _article(minutes: int, **given: Any) -> Article:
    return ArticleFactory(published_at=AT - timedelta(minutes=minutes), **given)


def _withhold(article: Article, kind: HoldKind) -> None:
    place_hold(article=article, kind=kind, reference=f"claim:{kind}", effective_at=AT, at=AT, by=None)


def _subscription() -> Subscription:
    return Subscription.objects.create(
        email="reader@mail.example", kind="tag", slug="climate", created_at=AT, confirmed_at=AT
    )


def _full_article(story: Any) -> Article:
    picture = RenditionFactory(width=960, height=640).media
    picture.file = picture.renditions.get().file.name
    picture.caption, picture.terms = "Low sun over the strait.", "Shown with permission."
    picture.save()
    article = _article(
        1,
        headline="Ferries sail again as the strait reopens",
        body="<p>The first ferry left at dawn.</p><h2>Before dawn</h2><blockquote><p>Said.</p></blockquote>"
        + "<p>A paragraph of a usual length that goes on for a while and then ends.</p>" * 12,
        dateline="OLD QUAY",
        tags=["Climate"],
        people=["Ann Ó Briain", "Bo Li"],
        story=story,
        lead_media=picture,
        updated_at=AT,
    )
    ContributionFactory(
        article=article, contributor__name="Cy Diaz", role="contributing_reporter", position=9
    )
    Revision.objects.create(
        article=article, number=1, kind=RevisionKind.CORRECTION, snapshot={}, at=AT, note="It was 214."
    )
    return article
