"""Pictures: fetched from their owners, decoded under limits, re-encoded by us, and shown only with an article.

Only bytes that we have encoded are served, from our own address, under a token that cannot be
guessed and answers like its article once that is gone. SVG is never taken: it is a program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse

from articles import gone, illustrations, surfaces
from articles.decoding import MOST_BYTES, Encoded, UnusableError, encode_apart
from articles.display import picture_address
from articles.leases import back_off
from articles.models import (
    Article,
    BlockedWork,
    BlockKind,
    Hold,
    HoldKind,
    Illustration,
    Media,
    Rendition,
    UsagePolicy,
)
from articles.surfaces import shows, surface
from webclient.client import Client, Limits, default_client
from webclient.errors import OutgoingError

MOST_ATTEMPTS = 6
# A younger file may belong to a transaction that has not committed yet.
YOUNGEST_STRAY = timedelta(hours=1)
LEASE_SECONDS = 120
SMALLEST = 40
REMOVED = "This picture was removed at its owner's request."


# --- fetching ---------------------------------------------------------------------------------


def fetch_pictures(limit: int, at: datetime, *, client: Client | None = None) -> int:
    """Fetch at most `limit` pictures that are due; returns how many were tried."""
    tried = 0
    for media in Media.objects.claimable(at).order_by("due_at")[:limit]:
        token = Media.objects.claim(media.pk, at=at, seconds=LEASE_SECONDS)
        if token:
            tried += 1
            _fetch(media, token, at=at, client=client or default_client())
    return tried


def _fetch(media: Media, token: str, *, at: datetime, client: Client) -> None:
    try:
        data = _download(media.original_url, client)
        sizes = encode_apart(data)
        digest = hashlib.sha256(data).hexdigest()
        if is_blocked(digest):
            raise UnusableError(REMOVED)
        if min(sizes[-1].width, sizes[-1].height) < SMALLEST:
            raise UnusableError(
                f"The picture is smaller than {SMALLEST} pixels: it counts visits or fills a gap."
            )
    except OutgoingError as error:
        _failed(media, token, str(error), again=_next_try(media, at))
    except UnusableError as error:
        _failed(media, token, str(error), again=None)
    else:
        keep(media, token, sizes, digest)


def _download(url: str, client: Client) -> bytes:
    limits = Limits(seconds=40, wire_bytes=MOST_BYTES, body_bytes=MOST_BYTES)
    response = client.get(url, headers={"Accept": "image/webp,image/png,image/jpeg,image/gif"}, limits=limits)
    if response.status >= 500 or response.status == 429:
        raise OutgoingError(f"The server answered {response.status}.")
    if response.status != 200:
        raise UnusableError(f"The server answered {response.status}.")
    return response.body


def is_blocked(digest: str) -> bool:
    """Was a picture of these bytes removed at its owner's request?"""
    blocks = BlockedWork.objects.filter(key=digest, kind=BlockKind.PICTURE, hold__in=Hold.objects.in_effect())
    return blocks.exists()


def _next_try(media: Media, at: datetime) -> datetime | None:
    attempts = media.attempts + 1
    return (
        None
        if attempts >= MOST_ATTEMPTS
        else at + back_off(attempts, first=120, most=int(timedelta(days=1).total_seconds()))
    )


def _failed(media: Media, token: str, error: str, *, again: datetime | None) -> None:
    Media.objects.finish(media.pk, token, due_at=again, last_error=error[:300])


@transaction.atomic
def keep_upload(media: Media, sizes: Sequence[Encoded], digest: str) -> Media:
    """Store a new picture that somebody brought, with its sizes. A file left by a failure is a stray."""
    media.sha256, media.due_at = digest, None
    rows = _saved(media, sizes)
    media.file, media.width, media.height = str(rows[-1].file), rows[-1].width, rows[-1].height
    media.save()
    _set_sizes(media, rows)
    return media


def _saved(media: Media, sizes: Sequence[Encoded]) -> list[Rendition]:
    """Their files, and the rows that will name them."""
    return [
        Rendition(
            media=media, width=size.width, height=size.height, file=_save(media, size.width, "webp", size.data),
            avif=_save(media, size.width, "avif", size.avif) if size.avif else "",
        )
        for size in sizes
    ]  # fmt: skip


def _save(media: Media, width: int, form: str, data: bytes) -> str:
    return default_storage.save(f"pictures/{media.token[:2]}/{media.token}-{width}.{form}", ContentFile(data))


def _set_sizes(media: Media, rows: Sequence[Rendition]) -> None:
    media.renditions.all().delete()
    Rendition.objects.bulk_create(rows)


def delete(media: Media) -> None:
    """A picture's rows now, its files once that is committed."""
    names = media.files
    media.delete()
    for name in names:
        transaction.on_commit(partial(default_storage.delete, name))


def keep(media: Media, token: str, sizes: Sequence[Encoded], digest: str) -> bool:
    """Store a picture's sizes and show them; False (and no file left) when another worker had taken over."""
    rows = _saved(media, sizes)
    with transaction.atomic():
        largest = rows[-1]
        mine = Media.objects.finish(
            media.pk, token, due_at=None, last_error="", attempts=0, sha256=digest,
            file=str(largest.file), width=largest.width, height=largest.height,
        )  # fmt: skip
        if mine:
            _set_sizes(media, rows)
            shown_by = illustrations.showing(media).values_list("pk", flat=True)
            surfaces.changed(surfaces.keys_of(list(shown_by)))
    if not mine:
        for file in (file for row in rows for file in (row.file, row.avif) if file):
            default_storage.delete(str(file.name))
    return bool(mine)


def _token_in(name: str) -> str:
    """The token of the picture for which `_save` named a file so."""
    return name.rpartition("/")[2].rpartition("-")[0]


def delete_strays(limit: int, at: datetime) -> int:
    """Delete at most `limit` files that no row names: what a crash between commit and deletion left behind."""
    deleted = 0
    for folder in _folders():
        names = [f"{folder}/{name}" for name in default_storage.listdir(folder)[1]]
        # By what their names begin with: nothing has to be sought by its whole name.
        named = Media.objects.filter(token__in={_token_in(name) for name in names})
        known = {name for media in named.prefetch_related("renditions") for name in media.files}
        for name in names:
            if name not in known and default_storage.get_modified_time(name) < at - YOUNGEST_STRAY:
                default_storage.delete(name)
                deleted += 1
                if deleted >= limit:
                    return deleted
    return deleted


def _folders() -> list[str]:
    try:
        return [f"pictures/{name}" for name in default_storage.listdir("pictures")[0]]
    except FileNotFoundError:
        return []


# --- picking ----------------------------------------------------------------------------------


def withheld() -> Q:
    """Pictures of an article that is withheld for its owner, or the same picture under another row."""
    held = Hold.objects.in_effect().filter(kind=HoldKind.LEGAL)
    of_article = held.filter(article__lead_media=OuterRef("pk"))
    known = BlockedWork.objects.filter(kind=BlockKind.PICTURE, key=OuterRef("sha256"), hold__in=held)
    return Q(Exists(of_article)) | Q(Exists(known), ~Q(sha256=""))


def may_be_picked(media: Media | None) -> bool:
    """Nothing that is withheld elsewhere gets into another article."""
    return media is None or not Media.objects.filter(withheld(), pk=media.pk).exists()


def _in_force() -> Q:
    """Of pictures: their terms have not ended."""
    return Q(terms_expire_at__isnull=True) | Q(terms_expire_at__gt=Now())


def pickable() -> QuerySet[Media]:
    """Pictures that may be put into an article now: here, in terms, and withheld nowhere."""
    rows: QuerySet[Media] = Media.objects.filter(~withheld(), _in_force()).exclude(file="")
    return rows


# --- showing ----------------------------------------------------------------------------------


def at_pictures(article: Article) -> Iterable[str]:
    """The addresses of the sizes of an article's pictures."""
    return [
        picture_address(media, size.width, form)
        for media in illustrations.pictures_of(article)
        for size in media.renditions.all()
        for form in (("webp", "avif") if size.avif else ("webp",))
    ]


@surface("picture", locate=at_pictures, store=False)
def picture(request: HttpRequest, token: str, width: int, form: str) -> HttpResponse:
    """One size of a picture in one form, while some public article shows it; afterwards what is said of the article."""
    media = Media.objects.filter(token=token).first()
    if media is None:
        raise Http404("No such picture.")
    article = _shown_by(media)
    if article is None and not _is_staff(request):
        return _not_shown(request, media)
    size = _size(media, width)
    stored = size and (size.avif if form == "avif" else size.file)
    if not stored:
        raise Http404("No such picture.")
    with stored.open("rb") as file:
        response = HttpResponse(file.read(), content_type=f"image/{form}")
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    # Feed readers show it on their own pages.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if article is None:
        response.headers["Cache-Control"] = "no-store, private"
    else:
        shows(request, articles=[article])
    return response


def _shown_by(media: Media) -> Article | None:
    """A public article that shows it, by a source that allows pictures, while its terms hold."""
    if not Media.objects.filter(_in_force(), pk=media.pk).exists():
        return None
    allowed = Q(source__isnull=True) | ~Q(source__usage=UsagePolicy.HEADLINE)
    leading = Article.objects.public().filter(allowed, lead_media=media).first()
    inside = Illustration.objects.filter(media=media).values("article")
    return leading or Article.objects.public().filter(allowed, pk__in=inside).first()


def _is_staff(request: HttpRequest) -> bool:
    # The session is looked at only when there is one: the answer to anybody else is the same for all.
    return settings.SESSION_COOKIE_NAME in request.COOKIES and bool(request.user.is_staff)


def _not_shown(request: HttpRequest, media: Media) -> HttpResponse:
    for article in illustrations.showing(media)[:20]:
        if gone.reason_of(article):
            return gone.answer(request, article)
    raise Http404("No such picture.")


def _size(media: Media, width: int) -> Rendition | None:
    """The smallest that is wide enough, or the widest there is."""
    sizes = list(media.renditions.all())
    return next((size for size in sizes if size.width >= width), sizes[-1] if sizes else None)
