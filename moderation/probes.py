"""Proof of a removal: look at every place where the article stood, through the front door.

What to look for is remembered as salted hashes while the text is still there; after the erasure
there is nothing else left to compare with.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from django.conf import settings
from django.db import transaction
from django.urls import get_resolver

from articles import announcements, cuts, illustrations, stories, surfaces
from articles.leases import back_off
from articles.models import Article, ArticleState, Cut, CutKind, Media
from moderation.models import Claim, Escrow, Probe, ProbePlan
from webclient.client import Client, Limits, Response, resolve
from webclient.errors import OutgoingError

logger = logging.getLogger(__name__)

WINDOW = 8
# Fewer words than this are met by chance on a list of other articles.
TELLING = 4
# What was met is another outlet's own article of the same work. Its address would tell ours from theirs.
COPY = "another outlet's copy"
MOST_COPIES = 50
GONE = (404, 410, 451)
ANSWERED = (200, *GONE)
LIMITS = Limits(seconds=20, connect_seconds=5, silent_seconds=15, redirects=2)
LEASE_SECONDS = 600


class FrontDoorClosed(RuntimeError):
    """Nobody answers at the site's own address, so nothing could be proved."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A phrase to look for: its kind, its length in words, its salted hash, and whether only on its own page."""

    what: str
    words: int
    hash: str
    own: bool


# --- before the text is gone ------------------------------------------------------------------


def remember(claim: Claim, *, at: datetime) -> ProbePlan:
    """Note where the claim's article stands and by what it would be recognised. Looked at from `at` on."""
    article = claim.article
    earlier = ProbePlan.objects.filter(claim__article=article, part="").exclude(marks=[]).first()
    salt = earlier.salt if earlier else secrets.token_hex(16)
    marks = earlier.marks if earlier else [_as_json(mark) for mark in marks_of(article, salt)]
    seen = earlier.addresses if earlier else []
    return _planned(claim, [*seen, *locate(article)], salt, marks, at=at)


def remember_part(claim: Claim, *, kind: CutKind, name_key: str, at: datetime) -> ProbePlan | None:
    """The same for a part that is about to be taken out. None when it cannot be told from what stays.

    A name of which the report itself speaks stays there, for example.
    """
    article, salt = claim.article, secrets.token_hex(16)
    marks = [_as_json(mark) for mark in _marks_of_part(article, kind, name_key, salt)]
    # The page of the person herself has her name in its address, which may not be written down here.
    places = [pair for pair in locate(article) if kind != CutKind.NAME or not _is_named(pair[1], name_key)]
    return _planned(claim, places, salt, marks, at=at, part=kind) if marks else None


def _is_named(path: str, name_key: str) -> bool:
    return any(cuts.key_of(part.replace("-", " ")) == name_key for part in unquote_plus(path).split("/"))


def _planned(
    claim: Claim, addresses: Iterable[Any], salt: str, marks: list[Any], *, at: datetime, part: str = ""
) -> ProbePlan:
    plan, _ = ProbePlan.objects.update_or_create(
        claim=claim,
        defaults={
            "addresses": sorted(list(pair) for pair in {tuple(pair) for pair in addresses}),
            "own_path": claim.article.get_absolute_url(),
            "salt": salt,
            "marks": marks,
            "part": part,
            "due_at": at,
            "attempts": 0,
        },
    )
    return plan


def forget(claim: Claim) -> None:
    """The article is shown again: there is nothing left to prove."""
    ProbePlan.objects.filter(claim=claim).update(due_at=None)
    Claim.objects.filter(pk=claim.pk).update(proved_at=None)


def locate(article: Article) -> Iterator[tuple[str, str]]:
    """Every registered surface on which the article can be met, and the path there."""
    _ = get_resolver().url_patterns  # views register as they are imported
    for surface in surfaces.REGISTER.values():
        for path in surface.locate(article):
            yield surface.name[:80], path[:400]


def marks_of(article: Article, salt: str) -> list[Mark]:
    """Phrases by which a reader would know the article."""
    marks = [*_phrase("headline", article.headline, salt)]
    marks += _phrase("standfirst", _first(article.standfirst), salt)
    text = words(_without_tags(article.body))
    for start in sorted({0, max(0, len(text) // 2 - WINDOW // 2), max(0, len(text) - WINDOW)}):
        marks += _phrase("text", " ".join(text[start : start + WINDOW]), salt)
    for name in article.contributors.values_list("name", flat=True):
        marks += _phrase("name", name, salt, own=True)
    for media in illustrations.pictures_of(article):
        marks += _picture_marks(media, article, salt)
    return marks


def _marks_of_part(article: Article, kind: CutKind, name_key: str, salt: str) -> Iterator[Mark]:
    """What is there now and will not be once the part is cut."""
    if kind == CutKind.PICTURE:
        for media in cuts.pictures_meant(article, name_key):
            yield from _picture_marks(media, article, salt)
        return
    before = {name: str(getattr(article, name)) for name in cuts.TEXT}
    after = cuts.trimmed(article, before, [Cut(article=article, kind=kind, name_key=name_key)])
    left = words(f"{article.headline} {_as_text(after)}")
    if kind == CutKind.NAME:
        for name in article.contributors.values_list("name", flat=True):
            if cuts.key_of(name) == name_key and tuple(words(name)) not in _phrases(left, len(words(name))):
                yield from _phrase("name", name, salt, own=True)
        return
    staying = _phrases(left, WINDOW)
    gone = [one for one in _phrases(words(_as_text(before)), WINDOW) if one not in staying]
    for phrase in dict.fromkeys([*gone[:1], *gone[len(gone) // 2 :][:1], *gone[-1:]]):
        yield from _phrase("text", " ".join(phrase), salt)


def _as_text(text: Mapping[str, str]) -> str:
    return f"{text['byline']} {text['standfirst']} {_without_tags(text['body'])}"


def _phrases(text: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """Every run of so many words, in order; the whole when it is shorter."""
    return [tuple(text[start : start + length]) for start in range(max(1, len(text) - length + 1))]


def _first(text: str) -> str:
    return " ".join(words(text)[:WINDOW])


def _phrase(what: str, text: str, salt: str, *, own: bool = False) -> Iterator[Mark]:
    found = words(text)
    if found:
        yield Mark(what, len(found), _digest(salt, found), own or len(found) < TELLING)


def _picture_marks(media: Media, article: Article, salt: str) -> Iterator[Mark]:
    shared = illustrations.showing(media).exclude(pk=article.pk).exists()
    stems = {name.rpartition("/")[2].partition(".")[0] for name in media.files}
    for text in {media.token, *(stem for stem in stems if len(stem) >= len(media.token) // 2)}:
        found = words(text)
        yield Mark("picture", len(found), _digest(salt, found), shared)


def words(text: str) -> list[str]:
    """The words of a text, folded, so that markup and punctuation make no difference."""
    return re.findall(r"\w+", unescape(text).casefold())


def _without_tags(html: str) -> str:
    return re.sub(r"<[^>]*>", " ", html)


def _digest(salt: str, phrase: Sequence[str]) -> str:
    return hashlib.sha256(f"{salt}\n{' '.join(phrase)}".encode()).hexdigest()[:32]


def _as_json(mark: Mark) -> dict[str, Any]:
    return {"what": mark.what, "words": mark.words, "hash": mark.hash, "own": mark.own}


# --- looking ----------------------------------------------------------------------------------


def probe(plan: ProbePlan, *, at: datetime, base_url: str = "") -> list[Probe]:
    """Look at every address of the plan now and keep what was seen. Raises FrontDoorClosed."""
    base_url = (base_url or settings.SITE_URL).rstrip("/")
    client = client_of(base_url)
    try:
        others = list(_copies(plan.claim.article))
        seen = [_look(client, base_url, plan, surface, path, at, others) for surface, path in plan.addresses]
        seen += [*_caches(plan, at), *_files(plan, at)]
    finally:
        client.close()
    with transaction.atomic():
        Probe.objects.bulk_create(seen, batch_size=200)
        clean = bool(seen) and all(one.is_clean for one in seen)
        Claim.objects.filter(pk=plan.claim_id).update(proved_at=at if clean else None)
        ProbePlan.objects.filter(pk=plan.pk).update(due_at=None if clean else at)
        if clean and plan.claim.article.state == ArticleState.ERASED:
            forget_queries(plan.claim.article)
    return seen


def forget_queries(article: Article) -> None:
    """Of an erased article's addresses keep no search for its headline, once it was looked for there."""
    done = ProbePlan.objects.filter(claim__article=article, due_at=None)
    for plan in done:
        plan.addresses = [[surface, path.partition("?")[0]] for surface, path in plan.addresses]
    ProbePlan.objects.bulk_update(done, ["addresses"], batch_size=100)
    looks = Probe.objects.filter(claim__plan__in=done, url__contains="?")
    for look in looks:
        look.url = look.url.partition("?")[0]
    Probe.objects.bulk_update(looks, ["url"], batch_size=100)


def _files(plan: ProbePlan, at: datetime) -> Iterator[Probe]:
    """A store that did not delete: nobody gets at those files through us, and the case is not proved all the same."""
    left = sum(
        len(files)
        for files in Escrow.objects.filter(article=plan.claim.article_id).values_list("files", flat=True)
    )
    if left:
        yield Probe(
            claim_id=plan.claim_id, surface="store", url="", at=at, is_clean=False, found=f"{left} files"
        )


def client_of(base_url: str) -> Client:
    """A client for which the site's own address is the one private address allowed."""
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = resolve(parts.hostname or "", port)
    except OSError as error:
        raise FrontDoorClosed(f"There is no server by the name {parts.hostname}.") from error
    allow = [ipaddress.ip_network(address.partition("%")[0]) for address in found]
    return Client(allow, "Newsroom-Prober/1.0", LIMITS)


def _copies(article: Article) -> Iterator[list[str]]:
    """The words of what other outlets publish here of the same work: met in a list, they are theirs."""
    family = Article.objects.public().filter(stories.family_of(article))
    for copy in family.exclude(source=article.source)[:MOST_COPIES]:
        yield words(f"{copy.headline} {copy.standfirst} {_without_tags(copy.body)}")


def _look(
    client: Client,
    base_url: str,
    plan: ProbePlan,
    surface: str,
    path: str,
    at: datetime,
    others: Sequence[Sequence[str]],
) -> Probe:
    try:
        answer = client.get(base_url + path)
    except OutgoingError as error:
        raise FrontDoorClosed(f"{base_url}{path} could not be fetched: {error}") from error
    own = _is_about_it_alone(path, plan)
    found = sorted(set(_found(answer, plan, own=own, others=() if own else others)))
    return Probe(
        claim_id=plan.claim_id,
        surface=surface,
        url=path[:500],
        at=at,
        status=answer.status,
        sha256=hashlib.sha256(answer.body).hexdigest(),
        is_clean=found in ([], [COPY]) and answer.status in _expected(plan, surface, own=own),
        found=", ".join(found)[:200],
    )


def _is_about_it_alone(path: str, plan: ProbePlan) -> bool:
    """Its own page, its card, its entry in the API: no other article is met there."""
    slug = plan.own_path.strip("/").rpartition("/")[2]
    return slug in urlsplit(path).path.split("/")


def _expected(plan: ProbePlan, surface: str, *, own: bool) -> tuple[int, ...]:
    if surface == "picture":
        # Unless another article shows the same one, or it is not the picture that had to go.
        mine = [mark for mark in plan.marks if mark["what"] == "picture"]
        return GONE if mine and not any(mark["own"] for mark in mine) else ANSWERED
    return GONE if own and not plan.part else ANSWERED


def _caches(plan: ProbePlan, at: datetime) -> list[Probe]:
    """The cache in front of the site: clean once it has acknowledged that it dropped the article's pages."""
    front = announcements.cache()
    if front is None:
        return []
    clean = announcements.is_settled(plan.claim.reference)
    found = "" if clean else "not acknowledged"
    return [
        Probe(
            claim_id=plan.claim_id, surface="shared cache", url=front.name, at=at, is_clean=clean, found=found
        )
    ]


def _found(answer: Response, plan: ProbePlan, *, own: bool, others: Sequence[Sequence[str]]) -> Iterator[str]:
    text = answer.body.decode("utf-8", "replace")
    slug = re.escape(plan.own_path.strip("/").rpartition("/")[2])
    # A page may repeat the address it was asked for, and that holds words of the headline.
    text, times = re.subn(rf"(?<![\w-]){slug}(?![\w-])", " ", text)
    if times and not own and not plan.part:
        yield "address"
    # A search repeats what was searched for; a result would also link to the address.
    asked = words(unquote_plus(urlsplit(answer.url).query))
    marks = [Mark(**mark) for mark in plan.marks if own or not mark["own"]]
    pages = [words(text), words(_without_tags(text))]
    for length in {mark.words for mark in marks}:
        windows = {digest for page in pages for digest in _windows(page, length, plan.salt)}
        windows.difference_update(_windows(asked, length, plan.salt))
        met = [mark for mark in marks if mark.words == length and mark.hash in windows]
        theirs = {digest for text in others for digest in _windows(text, length, plan.salt)} if met else ()
        yield from (COPY if mark.hash in theirs else mark.what for mark in met)


def _windows(page: Sequence[str], length: int, salt: str) -> Iterable[str]:
    return (_digest(salt, page[start : start + length]) for start in range(len(page) - length + 1))


def probe_due(limit: int, at: datetime) -> int:
    """Prove the removals that are not proved yet; what is not clean is looked at again."""
    done = 0
    for pk in list(ProbePlan.objects.claimable(at).values_list("pk", flat=True)[:limit]):
        token = ProbePlan.objects.claim(pk, at=at, seconds=LEASE_SECONDS)
        if token:
            done += 1
            ProbePlan.objects.finish(pk, token, due_at=_next_look(pk, at))
    return done


def _next_look(pk: int, at: datetime) -> datetime | None:
    """None once every surface was clean."""
    plan = ProbePlan.objects.select_related("claim__hold").get(pk=pk)
    if plan.claim.hold is None and not plan.part:
        return None
    try:
        if all(one.is_clean for one in probe(plan, at=at)):
            return None
        logger.error("claim %s: the article can still be met on a surface", plan.claim_id)
    except FrontDoorClosed as error:
        logger.warning("claim %s: not proved yet: %s", plan.claim_id, error)
    return at + back_off(plan.attempts)
