"""What of an article a reader may be shown: its source's usage policy, applied in one place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from django.db.models import F
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from articles import illustrations
from articles.canonical import NotAnAddress, readable_url
from articles.models import Article, ArticleQuerySet, Media, Rendition, Source, UsagePolicy
from articles.prepared import TEASER_WORDS, minutes_to_read, opening_of
from articles.sanitise import excerpt, excerpt_of_text

# What lists show of an article, its outlet and its picture.
LISTED = (
    "slug", "headline", "language", "published_at", "source", "lead_media", "story",
    "source__name", "source__slug", "source__usage", "source__excerpt_words", "source__signalled_usage",
    "source__signalled_chars", "source__signalled_no_pictures", "source__agreement_prevails",
    "lead_media__token", "lead_media__file", "lead_media__alt", "lead_media__terms_expire_at",
    "lead_media__focus_x", "lead_media__focus_y",
)  # fmt: skip
# Among so many of the newest articles languages are looked for.
RECENT = 2_000
_LANGUAGE = re.compile(r"[a-z]{2,3}")
PREFERRED_WIDTH = 960
IN_TEXT_SIZES = "(min-width: 44rem) 40rem, 70vw"
EAGER = SafeString(' fetchpriority="high"')
LAZY = SafeString(' loading="lazy" decoding="async"')
_RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ku", "nqo", "ps", "sd", "ug", "ur", "yi"}
)
_FIGURE_LEFT = re.compile(
    r"<figure>\s*(?:<figcaption>(?:(?!</figcaption>).)*</figcaption>)?\s*</figure>", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Text:
    """The part of an article's text that may be shown; `whole` when nothing was left out."""

    standfirst: str
    body: SafeString
    excerpt: str
    whole: bool


def listed() -> ArticleQuerySet:
    """Public articles as lists show them: with source and picture, of the text only what is prepared."""
    articles = Article.objects.public().select_related("source", "lead_media").only(*LISTED)
    return articles.annotate(opening=F("prepared__opening"))


def languages_read() -> list[str]:
    """The languages of the newest articles, without their regions, the commonest first."""
    newest = Article.objects.public().newest_first().values_list("language", flat=True)[:RECENT]
    counts = Counter(code.partition("-")[0].lower() for code in newest)
    return [code for code, _ in counts.most_common() if _LANGUAGE.fullmatch(code)]


def policy_of(article: Article) -> UsagePolicy:
    """How much we show: what its source allows; our own articles in full."""
    return article.source.shown_usage if article.source else UsagePolicy.FULL


def text_of(article: Article, *, site: str = "") -> Text:
    """Standfirst and body as far as the policy goes. An excerpt's words count both together.

    With `site`, what is read elsewhere, its pictures are named by their whole address.
    """
    return shown_of(
        article.source, article.standfirst, article.body, pictures=pictures_in_text(article), site=site
    )


def pictures_in_text(article: Article) -> list[Media]:
    """The library's pictures in the text, as far as they may be shown now."""
    is_pictured = article.pk is not None and illustrations.in_text(article.body)
    if not is_pictured or (article.source and not article.source.shows_pictures):
        return []
    illustrations.placed_in([article])
    return [row.media for row in article.illustrations.all() if _may_be_shown(row.media)]


def shown_of(
    source: Source | None,
    standfirst: str,
    body: str,
    text: str = "",
    *,
    pictures: Sequence[Media] = (),
    site: str = "",
) -> Text:
    """The same of a source's text that is no article yet; `text` is the body's words, where they are known."""
    usage = source.shown_usage if source else UsagePolicy.FULL
    if source is None or usage == UsagePolicy.FULL:
        return Text(standfirst, _illustrated(body, pictures, site), "", whole=True)
    if usage == UsagePolicy.HEADLINE:
        return Text("", SafeString(""), "", whole=False)
    standfirst = _within(excerpt(escape(standfirst, quote=False), source.excerpt_words), source.most_chars)
    left = source.excerpt_words - len(standfirst.split())
    opening = (excerpt_of_text(text, left) if text else excerpt(body, left)) if left > 0 else ""
    if source.most_chars is not None:
        opening = _within(opening, max(0, source.most_chars - len(standfirst)))
    return Text(standfirst, SafeString(""), opening, whole=False)


def standfirst_above(text: Text) -> str:
    """The standfirst over the text; none where the text begins with it, as feeds often have it."""
    first = excerpt(text.body or escape(text.excerpt, quote=False), len(text.standfirst.split()))
    return "" if first.rstrip(" .…") == text.standfirst.rstrip(" .…") else text.standfirst


def _within(text: str, most: int | None) -> str:
    """The text in at most so many characters, cut between words."""
    if most is None or len(text) <= most:
        return text
    cut = text[: max(0, most - 1)].rpartition(" ")[0].rstrip(" ,;:–—-")
    return f"{cut}…" if cut else ""


def teaser_of(article: Article) -> str:
    """The sentence or two under a headline in a list, as plain text."""
    policy = policy_of(article)
    if policy == UsagePolicy.HEADLINE:
        return ""
    opening = getattr(article, "opening", None)
    if opening is None:
        opening = opening_of(article.standfirst, article.body)
    words = article.source.excerpt_words if article.source else TEASER_WORDS
    teaser = excerpt(escape(opening, quote=False), words) if words < TEASER_WORDS else opening
    return _within(teaser, article.source.most_chars if article.source else None)


def picture_of(article: Article) -> Media | None:
    """The lead picture, when its file is here, its terms hold and the source allows more than the headline."""
    media = article.lead_media
    if media is None or policy_of(article) == UsagePolicy.HEADLINE:
        return None
    if article.source and not article.source.shows_pictures:
        return None
    return media if _may_be_shown(media) else None


def _may_be_shown(media: Media) -> bool:
    """Its file is here, and its terms have not ended."""
    return bool(media.file) and not (media.terms_expire_at and media.terms_expire_at <= timezone.now())


def reading_minutes(article: Article) -> int:
    """How long the whole text takes to read, in minutes; 0 for what is read at a glance."""
    minutes: int | None = getattr(article, "minutes", None)
    return minutes_to_read(article.body) if minutes is None else minutes


def original_address(article: Article) -> str:
    """Where the original is, without what would count the reader's visit."""
    try:
        return readable_url(article.canonical_url) if article.canonical_url else ""
    except NotAnAddress:
        return article.canonical_url


def picture_address(media: Media, width: int, form: str = "webp") -> str:
    """Where the picture is served in this width."""
    return f"/media/{media.token}/{width}.{form}"


def direction(language: str) -> str:
    """`rtl` or `ltr` by the language; `auto` when it is unknown."""
    if not language:
        return "auto"
    return "rtl" if language.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def picture_block(
    media: Media | None,
    sizes: str = "100vw",
    eager: bool = False,
    cropped: bool = True,
    *,
    alt: str | None = None,
    site: str = "",
) -> SafeString:
    """The picture with its space reserved; nothing when no size of it is here."""
    renditions = list(media.renditions.all()) if media else []
    if not media or not renditions:
        return SafeString("")
    shown = max(
        (r for r in renditions if r.width <= PREFERRED_WIDTH), key=lambda r: r.width, default=renditions[0]
    )
    several = _srcset(media, renditions, "webp", sizes, site) if len(renditions) > 1 else ""
    # Feed readers, which get whole addresses, know the plain form best.
    has_avif = renditions[0].avif and not site
    return format_html(
        '<div class="picture{}">{}<img src="{}"{} width="{}" height="{}" alt="{}"{}>{}</div>',
        _focus(media) if cropped else " uncropped",
        format_html(
            '<picture><source type="image/avif"{}>', _srcset(media, renditions, "avif", sizes, site)
        ) if has_avif else "",
        site + picture_address(media, shown.width),
        several,
        shown.width,
        shown.height,
        media.alt if alt is None else alt,
        EAGER if eager else LAZY,
        SafeString("</picture>") if has_avif else "",
    )  # fmt: skip


def _srcset(media: Media, renditions: list[Rendition], form: str, sizes: str, site: str) -> SafeString:
    addresses = ", ".join(f"{site}{picture_address(media, r.width, form)} {r.width}w" for r in renditions)
    return format_html(' srcset="{}" sizes="{}"', addresses, sizes)


def _focus(media: Media) -> str:
    """Classes that keep the picture's subject in sight; in quarters, for no page may carry a style of its own."""
    if (media.focus_x, media.focus_y) == (50, 50):
        return ""
    return f" fx{round(media.focus_x / 25)} fy{round(media.focus_y / 25)}"


def credit_line(media: Media) -> str:
    """Whose the picture is, and on which terms it is here, in the page's language."""
    credit = gettext("Picture: %(credit)s.") % {"credit": media.credit} if media.credit else ""
    return " ".join(filter(None, (credit, media.terms)))


def _illustrated(body: str, pictures: Sequence[Media], site: str) -> SafeString:
    # The body is sanitised where it is stored (articles.fields), what stands under a picture with it.
    def draw(media: Media, alt: str, said: str) -> str:
        block = picture_block(media, IN_TEXT_SIZES, cropped=False, alt=alt, site=site)
        under = format_html(
            '{} <span class="credit">{}</span>', SafeString(said or escape(media.caption)), credit_line(media)
        )
        return block and format_html(
            '<figure class="illustration">{}<figcaption class="meta">{}</figcaption></figure>', block, under
        )

    return SafeString(_FIGURE_LEFT.sub("", illustrations.drawn(body, pictures, draw)))
