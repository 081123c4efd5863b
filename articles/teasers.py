"""An article in a list: everything that any list says of it, set once and kept (articles/fragments.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.utils.safestring import SafeString

from articles import display, fragments
from articles.fragments import BETWEEN, KeptAs, Made
from articles.models import Article, ArticleQuerySet
from articles.statements import OneOf, Statement
from articles.templatetags.reading import foreign_language, language_marks, moment

KIND = "teaser"
# Lists show the picture in sizes of their own; stands in no text (ASCII's unit separator).
_SIZES = "\x1f"


class Teaser(NamedTuple):
    """Pieces of HTML; `pictured` is empty where there is no picture."""

    marks: str = ""
    link: str = ""
    standfirst: str = ""
    outlet: str = ""
    short: str = ""
    clock: str = ""
    pictured: str = ""
    shown: str = ""

    def picture(self, sizes: str, *, eager: bool = False) -> SafeString:
        """The picture in these sizes; `eager`: fetched before everything else."""
        shown = self.shown.replace(_SIZES, sizes, 1)
        return SafeString(shown.replace(display.LAZY, display.EAGER, 1) if eager else shown)


class Setting:
    """The pieces of a teaser as they are set of an article; each is worked out when it is asked for."""

    def __init__(self, article: Article) -> None:
        self.article = article

    @property
    def marks(self) -> str:
        """In which language the article is."""
        return language_marks(self.article.language)

    @property
    def link(self) -> str:
        """The headline as a link."""
        return f'<a href="{escape(self.article.get_absolute_url())}">{escape(self.article.headline)}</a>'

    @property
    def standfirst(self) -> str:
        """The sentence or two under the headline, where there are any."""
        text = display.teaser_of(self.article)
        return f'<p class="standfirst">{escape(text)}</p>' if text else ""

    @property
    def outlet(self) -> str:
        """The outlet, and the language where it is another than the page's."""
        return " · ".join(filter(None, (outlet_link(self.article), escape(foreign_language(self.article)))))

    @property
    def short(self) -> str:
        """When it was published."""
        return moment(self.article.published_at, "short")

    @property
    def clock(self) -> str:
        """At which hour."""
        return moment(self.article.published_at, "clock")

    @property
    def pictured(self) -> str:
        """Something where it has a picture that may be shown."""
        return "1" if display.picture_of(self.article) else ""

    @property
    def shown(self) -> str:
        """The picture, with its sizes left open."""
        return display.picture_block(display.picture_of(self.article), sizes=_SIZES)

    def picture(self, sizes: str, *, eager: bool = False) -> SafeString:
        """The picture in these sizes."""
        return display.picture_block(display.picture_of(self.article), sizes=sizes, eager=eager)


_PIECES = Teaser._fields


def listed() -> ArticleQuerySet:
    """Public articles as pages list them: when they were published, and their teasers where those are kept."""
    articles = Article.objects.public().only("published_at", "source", "story")
    return articles.annotate(teaser=KeptAs(KIND))


def fill(articles: Iterable[Article]) -> None:
    """Set what is not kept of these articles' teasers; they come from `listed`."""
    fragments.fill(articles, KIND, make)


def of(article: Article) -> Teaser | Setting:
    """What a list says of the article: one of `listed` that was filled, or any other."""
    known: Teaser | None = article.__dict__.get("_teaser")
    if known:
        return known
    text: str | None = article.__dict__.get(KIND)
    if text is None:
        return Setting(article)
    made = article.__dict__["_teaser"] = Teaser(*text.split(BETWEEN))
    return made


def make(keys: Sequence[int]) -> Iterator[Made]:
    """The teasers of these articles, as far as they are public."""
    articles = _WHOLE(keys=keys)
    prefetch_related_objects([a for a in articles if a.lead_media], "lead_media__renditions")
    for article in articles:
        setting = Setting(article)
        text = BETWEEN.join(getattr(setting, piece) for piece in _PIECES)
        until = fragments.until([display.picture_of(article)])
        yield Made(article.pk, KIND, fragments.language(), text, until)


_WHOLE = Statement(lambda: display.listed().filter(OneOf("pk", "keys")))


def outlet_link(article: Article) -> str:
    """The outlet as a link to its page; our own name where it is ours."""
    source = article.source
    if source is None:
        return escape(settings.SITE_NAME)
    return f'<a href="{escape(source.get_absolute_url())}"><bdi>{escape(source.name)}</bdi></a>'
