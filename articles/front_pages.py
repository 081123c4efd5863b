"""The front page at the desk: a board of its lists, with preview, in the place of a list of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from articles import curating, front
from articles.actions import NotAllowed
from articles.curating import Place
from articles.models import Article, ArticleState, FrontPin, Tag
from articles.templatetags import front_parts

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[FrontPin]
else:
    _Admin = admin.ModelAdmin
TOP = "top"
# The rows are the featured tags, whose order the navigation has too.
ORDER = "articles.change_tag"
OFFERED = 20


@dataclass(frozen=True, slots=True)
class Slip:
    """One article on the board. `why_not` says why readers do not see it at the moment."""

    article: Article
    pinned: bool
    until: datetime | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One list of the front page."""

    key: str
    title: str
    most: int
    slips: list[Slip] = field(default_factory=list)


class FindForm(forms.Form):
    """Any article, to be pinned."""

    article = forms.ModelChoiceField(
        Article.objects.none(),
        widget=AutocompleteSelect(FrontPin._meta.get_field("article"), admin.site),
        required=False,
        label="Find an article",
    )


@admin.register(FrontPin)
class FrontPinAdmin(_Admin):
    """Nobody adds, opens or deletes one row: the whole page is arranged on one board."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="articles_frontpin_changelist"),
            path("preview/", wrap(self.preview), name="articles_frontpin_preview"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The board; saved, it is the front page from then on."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        pins, opened = list(FrontPin.objects.all()), ""
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            places = _places(request.POST)
            try:
                by = cast(User, request.user)
                opened = request.POST.get("opened", "")
                rows = self._rows(request)
                curating.arrange(places=places, opened=opened, by=by, at=timezone.now(), rows=rows)
            except NotAllowed as reason:
                messages.error(request, str(reason))
                opened = curating.arrangement(pins)
                pins = _known(curating.pins_of(places, at=timezone.now(), by=None))
            else:
                messages.success(request, "Readers have this front page now.")
                return HttpResponseRedirect(request.path)
        find, columns = FindForm(), list(_columns(pins))
        context = {
            **self.admin_site.each_context(request),
            "title": "Front page",
            "opts": self.opts,
            "columns": columns,
            "offered": _offered(columns),
            "opened": opened or curating.arrangement(pins),
            "may_change": self.has_change_permission(request),
            "may_order": self.has_change_permission(request) and request.user.has_perm(ORDER),
            "unseen_rows": _tags()[front.MOST_SECTIONS :],
            "find": find,
            "media": find.media,
        }
        return TemplateResponse(request, "admin/articles/frontpin/board.html", context)

    @staticmethod
    def _rows(request: HttpRequest) -> curating.Rows | None:
        """The order of the rows, from who may order them."""
        after = _keys(request.POST.getlist("row"))
        if not after or not request.user.has_perm(ORDER):
            return None
        return curating.Rows(_keys(request.POST.get("rows_opened", "").split(",")), after)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The readers' page with the arrangement that is in the form; nothing is saved."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect("../")
        rows = self._rows(request)
        by_key = {tag.pk: tag for tag in _tags()}
        tags = [by_key[pk] for pk in (rows.after if rows else by_key) if pk in by_key]
        pins = curating.pins_of(_places(request.POST), at=timezone.now(), by=None)
        holding = [pin for pin in pins if pin.until is None or pin.until > timezone.now()]
        page = front.compose(tags, holding)
        return front_parts.answer(request, page, tags)


def _keys(sent: list[str]) -> list[int]:
    return [int(key) for key in sent if key.isdecimal() and len(key) < 18]


def _tags() -> list[Tag]:
    return list(Tag.objects.filter(featured=True))


def _places(sent: QueryDict) -> list[Place]:
    """What the board says: fields `pin-top` and `pin-TAG` in their order, `until-ARTICLE` beside them."""
    places = []
    for key in [TOP, *(str(tag.pk) for tag in _tags())]:
        for pk in sent.getlist(f"pin-{key}"):
            if pk.isdecimal() and len(pk) < 18:
                until = _moment(sent.get(f"until-{pk}", ""))
                places.append(Place(int(pk), None if key == TOP else int(key), until))
    return places


def _moment(typed: str) -> datetime | None:
    try:
        at = parse_datetime(typed)
    except ValueError:
        return None
    return timezone.make_aware(at) if at and timezone.is_naive(at) else at


def _known(pins: Sequence[FrontPin]) -> list[FrontPin]:
    here = Article.objects.in_bulk([pin.article_id for pin in pins])
    return [pin for pin in pins if pin.article_id in here]


def _columns(pins: Sequence[FrontPin]) -> Iterator[Column]:
    """The lists as they are: what is pinned, shown or not, and after it what fills them by itself."""
    tags = _tags()
    holding = [pin for pin in pins if pin.until is None or pin.until > timezone.now()]
    page = front.compose(tags, holding)
    ids = [pin.article_id for pin in pins]
    articles = Article.objects.select_related("source").defer("body", "signature").in_bulk(ids)
    public = set(Article.objects.public().filter(pk__in=ids).values_list("pk", flat=True))
    filled: dict[str, list[Article]] = {TOP: [*([page.lead] if page.lead else []), *page.secondary]}
    filled |= {str(section.tag.pk): section.articles for section in page.sections}
    names = {TOP: "Top: the lead, then three beside it"} | {
        str(tag.pk): tag.name for tag in tags[: front.MOST_SECTIONS]
    }
    for key, title in names.items():
        tag_id = None if key == TOP else int(key)
        mine = [pin for pin in pins if pin.tag_id == tag_id]
        slips = [
            Slip(articles[pin.article_id], True, pin.until, _why_not(pin, articles[pin.article_id], public))
            for pin in mine
        ]
        rest = [Slip(article, False) for article in filled.get(key, []) if article.pk not in articles]
        yield Column(key, title, curating.most_in(tag_id), [*slips, *rest])


def _why_not(pin: FrontPin, article: Article, public: set[int]) -> str:
    if pin.until and pin.until <= timezone.now():
        return "its time is over"
    if article.pk in public:
        return ""
    if article.state != ArticleState.PUBLISHED:
        return f"it is {article.get_state_display().lower()}"
    if article.published_at and article.published_at > timezone.now():
        return "readers get it once its embargo is over"
    return "readers cannot see it at the moment"


def _offered(columns: Sequence[Column]) -> list[Article]:
    """The newest that stand nowhere on the board."""
    there = {slip.article.pk for column in columns for slip in column.slips}
    newest = Article.objects.public().without_copies().newest_first().select_related("source")
    some = newest.defer("body", "signature")[: OFFERED + len(there)]
    return [article for article in some if article.pk not in there][:OFFERED]
