"""The desk for programs: write, send on and publish articles, by the same form, moves and rights as in the admin.

A token speaks for one person. Every change names the version it was made for (`If-Match`), and may carry an
`Idempotency-Key`, under which it is made once however often it is sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal

from auditlog.context import set_extra_data
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.forms import modelform_factory
from django.forms.models import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import slugify
from ninja import Header, Query, Router, Schema, Status
from ninja.security import HttpBearer
from pydantic import AfterValidator, ConfigDict, Field

from accounts import access
from accounts.models import AccessToken, HandledRequest, User
from articles import actions, workflow
from articles.bylines import Credit, Role
from articles.forms import ArticleForm
from articles.models import Article, ArticleState, Media, Source, Tag
from moderation import limits
from moderation.api import Problem, Refused, WholeText

REQUESTS = 3_000
"""How often a token may be used in an hour."""
PLAIN = (
    "headline", "standfirst", "body", "byline", "dateline", "language", "canonical_url", "copyright_holder",
    "usage_terms", "licence_url", "published_at", "expires_at", "slug",
)  # fmt: skip
Scope = AccessToken.Scope
# Begun, or waiting: what no reader has, and no editor answered for. Beyond that a token needs to be let publish.
UNPUBLISHED = (ArticleState.DRAFT, ArticleState.REVIEW)
Form: Any = modelform_factory(
    Article, form=ArticleForm, fields=(*PLAIN, "source", "lead_media", "tags", "opened_version", "correction")
)


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("A text cannot hold the character NUL.")
    return text


def _in_time(moment: datetime) -> datetime:
    if not 1900 <= moment.year <= 9000:
        raise ValueError("This is no time of an article.")
    return moment


Text = Annotated[WholeText, AfterValidator(_storable)]
Moment = Annotated[datetime, AfterValidator(_in_time)]


# --- what is sent and answered ----------------------------------------------------------------


class CreditOf(Schema):
    """Somebody who had a part in it."""

    name: Text = Field(min_length=1, max_length=200)
    role: Role = Role.AUTHOR


class ArticleIn(Schema):
    """What to set. What is left out stays as it is; `tags` and `credits` take the place of those before."""

    model_config = ConfigDict(extra="forbid")

    headline: Text = ""
    standfirst: Text = ""
    body: Text = Field("", description="HTML; what readers may not get is taken out.")
    byline: Text = ""
    dateline: Text = ""
    language: Text = ""
    source: Text | None = Field(None, description="The slug of an outlet; empty for our own journalism.")
    canonical_url: Text = Field("", description="The address of the original; needed with a source.")
    copyright_holder: Text = ""
    usage_terms: Text = ""
    licence_url: Text = ""
    published_at: Moment | None = Field(None, description="In the future it is an embargo.")
    expires_at: Moment | None = None
    slug: Text = Field("", description="The old address leads to a new one for ever.")
    tags: list[Text] = Field(
        [], max_length=100, description="Names of tags that are known; synonyms lead to theirs."
    )
    credits: list[CreditOf] = Field([], max_length=100)
    picture: Text | None = Field(None, description="The token of a picture in the library.")


class Changes(ArticleIn):
    """The same; a `correction` is told to the readers of a published article, in these words."""

    correction: Text = Field("", max_length=1000)


class Retraction(Schema):
    """Why we no longer stand by it."""

    note: Text = Field(min_length=1, max_length=1000, description="Readers get it in place of the article.")


class Listed(Schema):
    """An article in the desk's list."""

    key: uuid.UUID
    url: str
    state: str
    version: int
    headline: str
    source: str | None
    published_at: datetime | None
    edited_at: datetime | None


class DeskArticle(Listed):
    """An article as the desk has it. `moves` is where this person may send it."""

    standfirst: str
    body: str
    byline: str
    dateline: str
    language: str
    canonical_url: str
    copyright_holder: str
    usage_terms: str
    licence_url: str
    expires_at: datetime | None
    slug: str
    tags: list[str]
    credits: list[CreditOf]
    picture: str | None
    moves: list[str]


class DeskPage(Schema):
    """Last begun first; `next` is the address of the page after this one, empty at the end."""

    articles: list[Listed]
    next: str


class Me(Schema):
    """Whose token it is, and what it may do."""

    person: str
    groups: list[str]
    scopes: list[str]
    expires_at: datetime


class Wanted(Schema):
    """Which articles: `before` is taken from `next`."""

    state: ArticleState | None = None
    mine: bool = False
    before: int | None = Field(None, gt=0, lt=2**63)
    limit: int = Field(30, ge=1, le=100)


# --- who asks ---------------------------------------------------------------------------------


class DeskToken(HttpBearer):
    """Lets in who has a token with the scope, as the person it was made by."""

    openapi_name = "deskToken"

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> AccessToken:
        """The token's row; Refused when it opens nothing, lacks the scope or was used too often."""
        at = timezone.now()
        row = access.opened_by(token, at=at)
        if row is None:
            raise Refused(
                401, "No valid token", "Send Authorization: Bearer with a token that was not revoked."
            )
        _needed(row, self.scope)
        if limits.count("desk", str(row.pk), window=limits.HOUR, at=at) > REQUESTS:
            raise Refused(429, "Too many requests", f"A token is good for {REQUESTS} requests an hour.")
        return row


def _needed(token: AccessToken, scope: str) -> None:
    if scope not in token.scopes:
        raise Refused(403, "Not in its scopes", f"This token was made without the scope “{scope}”.")


def _user(request: HttpRequest) -> User:
    person: User = request.auth.user  # type: ignore[attr-defined]
    return person


ERRORS: dict[Any, Any] = dict.fromkeys((401, 403, 404, 410, 422, 429, 451), Problem)
CHANGING = ERRORS | dict.fromkeys((400, 409, 412, 428), Problem)
router = Router(tags=["desk"])
IfMatch = Annotated[str, Header("", alias="If-Match", description="The ETag of the version you have read.")]
RepeatKey = Annotated[
    str, Header("", alias="Idempotency-Key", description="At most 200 characters, good for a week.")
]


# --- reading ----------------------------------------------------------------------------------


@router.get("/me", response={200: Me, **ERRORS}, auth=DeskToken(Scope.READ), summary="Whose token this is")
def me(request: HttpRequest) -> Me:
    """The person, their groups, and the token's scopes."""
    token: AccessToken = request.auth  # type: ignore[attr-defined]
    groups = list(token.user.groups.order_by("name").values_list("name", flat=True))
    return Me(person=str(token.user), groups=groups, scopes=token.scopes, expires_at=token.expires_at)


@router.get(
    "/articles/",
    response={200: DeskPage, **ERRORS},
    auth=DeskToken(Scope.READ),
    summary="The desk's articles",
)
def list_articles(request: HttpRequest, wanted: Query[Wanted]) -> DeskPage:
    """In any state but erased, those that the person may see; what is withheld for its owner is left out."""
    user = _user(request)
    if not (user.has_perm(workflow.VIEW) or user.has_perm(workflow.CHANGE_OWN)):
        raise _forbidden()
    found = (
        workflow.seen_by(user, Article.objects.allowed()).select_related("source").defer("body", "signature")
    )
    found = found.filter(state=wanted.state) if wanted.state else found
    found = found.filter(created_by=user.pk) if wanted.mine else found
    found = found.filter(pk__lt=wanted.before) if wanted.before else found
    rows = list(found.order_by("-pk")[: wanted.limit + 1])
    asked = request.GET.copy()
    asked["before"] = str(rows[wanted.limit - 1].pk) if len(rows) > wanted.limit else ""
    next_page = f"{settings.SITE_URL}{request.path}?{asked.urlencode()}" if asked["before"] else ""
    return DeskPage(articles=[Listed(**_facts(row)) for row in rows[: wanted.limit]], next=next_page)


@router.get(
    "/articles/{uuid:key}",
    response={200: DeskArticle, **ERRORS},
    auth=DeskToken(Scope.READ),
    summary="One article",
)
def get_article(request: HttpRequest, response: HttpResponse, key: uuid.UUID) -> DeskArticle:
    """One article in whatever state; its `ETag` is what a change of it has to name."""
    return _told(_user(request), _found(_user(request), key), response)


# --- writing ----------------------------------------------------------------------------------


@router.post(
    "/articles/", response={200: DeskArticle, 201: DeskArticle, **CHANGING}, auth=DeskToken(Scope.WRITE),
    summary="Begin an article",
)  # fmt: skip
def add_article(
    request: HttpRequest, response: HttpResponse, given: ArticleIn, repeat_key: RepeatKey
) -> Status[DeskArticle]:
    """A new draft: 201, or 200 when it was begun under the same `Idempotency-Key` before."""

    def begin(user: User) -> Article:
        if not user.has_perm(workflow.ADD):
            raise _forbidden()
        return _save(Article(), given, user, done="Added through the API.")

    return _changed(request, response, repeat_key, begin, status=201)


@router.patch(
    "/articles/{uuid:key}", response={200: DeskArticle, **CHANGING}, auth=DeskToken(Scope.WRITE),
    summary="Change an article",
)  # fmt: skip
def change_article(
    request: HttpRequest, response: HttpResponse, key: uuid.UUID, given: Changes, if_match: IfMatch,
    repeat_key: RepeatKey,
) -> Status[DeskArticle]:  # fmt: skip
    """Only what is sent is changed. Beyond draft and review the token needs the scope `publish` as well."""

    def change(user: User) -> Article:
        article = _opened(user, key, if_match)
        if not workflow.may_change(user, article):
            raise _forbidden()
        if article.state not in UNPUBLISHED:
            _needed(request.auth, Scope.PUBLISH)  # type: ignore[attr-defined]
        return _save(article, given, user, done="Changed through the API.")

    return _changed(request, response, repeat_key, change)


@router.post(
    "/articles/{uuid:key}/retract", response={200: DeskArticle, **CHANGING}, auth=DeskToken(Scope.PUBLISH),
    summary="Retract an article",
)  # fmt: skip
def retract_article(
    request: HttpRequest, response: HttpResponse, key: uuid.UUID, given: Retraction, if_match: IfMatch,
    repeat_key: RepeatKey,
) -> Status[DeskArticle]:  # fmt: skip
    """Readers get the note in its place."""

    def retract(user: User) -> Article:
        article = _opened(user, key, if_match)
        if not workflow.may_retract(user, article):
            raise _forbidden()
        return actions.retract(article=article, at=timezone.now(), by=user, note=given.note)

    return _changed(request, response, repeat_key, retract)


@router.post(
    "/articles/{uuid:key}/{move}", response={200: DeskArticle, **CHANGING}, auth=DeskToken(Scope.WRITE),
    summary="Send an article on",
)  # fmt: skip
def move_article(
    request: HttpRequest, response: HttpResponse, key: uuid.UUID,
    move: Literal["submit", "approve", "publish", "review", "draft", "restore"], if_match: IfMatch,
    repeat_key: RepeatKey,
) -> Status[DeskArticle]:  # fmt: skip
    """One of its `moves`. All but `submit` need the scope `publish`; 409 says what is missing before readers see it."""

    def make(user: User) -> Article:
        article = _opened(user, key, if_match)
        if workflow.MOVES[move].right:
            _needed(request.auth, Scope.PUBLISH)  # type: ignore[attr-defined]
        if move not in {one.name for one in workflow.moves_for(user, article)}:
            raise _forbidden(f"From {article.state} this person cannot send it there.")
        return workflow.make(move=workflow.MOVES[move], article=article, at=timezone.now(), by=user)

    return _changed(request, response, repeat_key, make)


# --- one change, once -------------------------------------------------------------------------


def _changed(
    request: HttpRequest,
    response: HttpResponse,
    repeat_key: str,
    act: Callable[[User], Article],
    *,
    status: int = 200,
) -> Status[DeskArticle]:
    """Do it in one transaction with the note that it was done, and answer with what stands now."""
    user = _user(request)
    with _noted(request), transaction.atomic(), _refusing():
        done = _begun(request, repeat_key) if repeat_key else None
        if done is not None and done.about:
            article, status = _found(user, uuid.UUID(done.about)), 200
        else:
            article = act(user)
            if done is not None:
                HandledRequest.objects.filter(pk=done.pk).update(about=str(article.key), status=status)
        article.refresh_from_db()
    if status == 201:
        response.headers["Location"] = f"{settings.SITE_URL}/api/desk/articles/{article.key}"
    return Status(status, _told(user, article, response))


def _begun(request: HttpRequest, key: str) -> HandledRequest:
    """The row of this key: new, or of the same request that was done before. Who comes second waits for the first."""
    if len(key) > 200 or not key.isprintable():
        raise Refused(400, "Not a key", "An Idempotency-Key has at most 200 printable characters.")
    asked = (
        request.method,
        request.path,
        request.headers.get("If-Match", ""),
        request.body.decode("utf-8", "replace"),
    )
    row, _ = HandledRequest.objects.get_or_create(
        token=request.auth,  # type: ignore[attr-defined]
        key=key,
        defaults={"request_hash": access.hash_of("\n".join(map(str, asked))), "at": timezone.now()},
    )
    if row.request_hash != access.hash_of("\n".join(map(str, asked))):
        raise Refused(422, "Another request", "This Idempotency-Key was used for a different request.")
    return row


@contextmanager
def _noted(request: HttpRequest) -> Iterator[None]:
    """In the audit log every change is by this person, from there."""
    known = {"actor": _user(request), "remote_addr": limits.sender_of(request.META).partition("/")[0] or None}
    with set_extra_data(context_data=known):
        yield


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except actions.NotAllowed as reason:
        raise Refused(409, "Not as things stand", str(reason)) from reason


def _forbidden(why: str = "The person of this token has no right to that.") -> Refused:
    return Refused(403, "Not allowed", why)


def _found(user: User, key: uuid.UUID) -> Article:
    """The article; Refused for who may not see it, and for everybody while its owner wants it withheld."""
    article = Article.objects.select_related("source", "lead_media").filter(key=key).first()
    if article is None:
        raise Http404
    if article.state == ArticleState.ERASED:
        raise Refused(410, "Erased", "It was removed at its owner's request.")
    if not workflow.may_view(user, article):
        raise _forbidden()
    if not Article.objects.allowed().filter(pk=article.pk).exists():
        raise Refused(451, "Withheld", "It is withheld at its owner's request. Look at it in the admin.")
    return article


def _opened(user: User, key: uuid.UUID, if_match: str) -> Article:
    """The article under its lock, at the version the program has read."""
    article = _found(user, key)
    if not if_match.strip():
        raise Refused(428, "Which version?", "Send If-Match with the ETag of the version you have read.")
    if f'"{actions.lock(article).version}"' != if_match.strip():
        raise Refused(412, "Changed meanwhile", "Somebody saved it since you read it. Read it again.")
    return article


# --- the form behind the admin ----------------------------------------------------------------


def _save(article: Article, given: ArticleIn, user: User, *, done: str) -> Article:
    """What was sent goes through the form of the admin, and is stored by the same action."""
    sent = given.model_dump(exclude_unset=True)
    data = (
        model_to_dict(article, PLAIN)
        | _rows_of(article, sent)
        | {k: v for k, v in sent.items() if k in PLAIN}
    )
    data |= {
        "opened_version": article.version if article.pk else None,
        "correction": sent.get("correction", ""),
    }
    form = Form(data, instance=article)
    if not form.is_valid():
        raise Refused(422, "Not valid", "Nothing was changed; `errors` says why.", _errors(form))
    note = form.cleaned_data["correction"]
    form.save(commit=False)
    actions.save_edit(article=article, at=timezone.now(), by=user, correction=note)
    with actions.changing_rows(article):
        form.save_m2m()
        if "credits" in sent:
            actions.credit(article=article, credits=[Credit(one.name, one.role) for one in given.credits])
    actions.record(article=article, by=user, done=done)
    return article


def _rows_of(article: Article, sent: dict[str, Any]) -> dict[str, Any]:
    """The rows that were named, as the form takes them: by their keys."""
    rows: dict[str, Any] = {"source": article.source_id, "lead_media": article.lead_media_id}
    if "source" in sent:
        rows["source"] = _pk_of(Source.objects.filter(slug=sent["source"]), sent["source"], "source")
    if "picture" in sent:
        rows["lead_media"] = _pk_of(Media.objects.filter(token=sent["picture"]), sent["picture"], "picture")
    rows["tags"] = (
        _tags_of(sent["tags"]) if "tags" in sent else [t.pk for t in article.tags.all()] if article.pk else []
    )
    return rows


def _pk_of(rows: QuerySet[Any], wanted: str | None, field: str) -> int | None:
    pk = rows.values_list("pk", flat=True).first() if wanted else None
    if wanted and pk is None:
        raise _unknown(field, f"“{wanted}” is not known here.")
    return pk


def _tags_of(names: list[str]) -> list[int]:
    slugs = {slugify(name, allow_unicode=True)[:100]: name for name in names}
    known = {tag.slug: tag.pk for tag in Tag.objects.filter(slug__in=slugs)}
    known |= dict(Tag.objects.filter(synonyms__slug__in=slugs).values_list("synonyms__slug", "pk"))
    unknown = [name for slug, name in slugs.items() if slug not in known]
    if unknown:
        raise _unknown("tags", f"No tag is called {', '.join(f'“{name}”' for name in unknown)}.")
    return list(dict.fromkeys(known[slug] for slug in slugs))


def _unknown(field: str, message: str) -> Refused:
    errors = [{"field": field, "message": message}]
    return Refused(422, "Not valid", "Nothing was changed; `errors` says why.", errors)


def _errors(form: ArticleForm) -> list[dict[str, str]]:
    names = {"lead_media": "picture", "__all__": ""}
    return [
        {"field": names.get(field, field), "message": str(error["message"])}
        for field, errors in form.errors.get_json_data().items()
        for error in errors
    ]


# --- answering --------------------------------------------------------------------------------


def _facts(article: Article) -> dict[str, Any]:
    return {
        "key": article.key,
        "url": settings.SITE_URL + article.get_absolute_url(),
        "state": article.state,
        "version": article.version,
        "headline": article.headline,
        "source": article.source.slug if article.source else None,
        "published_at": article.published_at,
        "edited_at": article.edited_at,
    }


def _told(user: User, article: Article, response: HttpResponse) -> DeskArticle:
    response.headers["ETag"] = f'"{article.version}"'
    response.headers["Cache-Control"] = "no-store"
    may = [move.name for move in workflow.moves_for(user, article)]
    if workflow.may_retract(user, article):
        may.append("retract")
    parts = article.contributions.select_related("contributor")
    return DeskArticle(
        **_facts(article) | {name: getattr(article, name) for name in PLAIN},
        tags=[tag.name for tag in article.tags.all()],
        credits=[CreditOf(name=part.contributor.name, role=Role(part.role)) for part in parts],
        picture=article.lead_media.token if article.lead_media else None,
        moves=may,
    )
