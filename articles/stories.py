"""One story, many outlets: copies folded to the report that was first, reports on one event in one story.

Grouping only ever adds. What an editor merged, split or placed is pinned, and stays as it is.
docs/decisions/stories.md tells how the thresholds were chosen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.utils.text import slugify

from accounts.audit import note
from accounts.models import User
from articles import bulk, comparison, exclusion, merging, surfaces
from articles.comparison import Report, Subject
from articles.fingerprint import similarity
from articles.models import Article, ArticleQuerySet, ArticleState, Story, StoryMembership
from articles.similarity import Likeness, likeness
from articles.tokens import new_token

COPY = 0.70
SHORT_COPY = 0.65
# To be near one report alone (the centre of a story, or the only other one) takes more than to be near two.
PAIR = 0.24
CLOSE = 0.22
SHARE = 0.5
MOST_IN_STORY = 60
# How often a batch is begun again because somebody else needed the same rows.
GIVES_WAY = 5
MOST_COPIES = 50


class NotTogether(Exception):
    """What was asked for these stories cannot be done; the message says why."""


# --- the work ---------------------------------------------------------------------------------


def to_compare(at: datetime) -> ArticleQuerySet:
    """Published articles that nobody has compared with others."""
    return Article.objects.filter(
        state=ArticleState.PUBLISHED, compared_at__isnull=True, published_at__lte=at
    )


@bulk.uncollected()
def relate_due(limit: int, at: datetime) -> int:
    """Compare at most `limit` articles that wait for it with those around them; returns how many it looked at."""
    due = list(to_compare(at).order_by("published_at", "pk").values_list("pk", flat=True)[:limit])
    if due:
        relate(due, at=at)
    return len(due)


def relate(article_ids: Sequence[int], *, at: datetime) -> None:
    """Compare those of these articles that wait for it: fold copies, join or open stories."""
    subjects = comparison.described(article_ids)
    for attempt in range(GIVES_WAY + 1):
        try:
            _relate(subjects, at=at)
            return
        except OperationalError:
            # Somebody's decision or notice was waited for, or waited for us; inside a transaction it is the caller's.
            if connection.in_atomic_block or attempt == GIVES_WAY:
                raise


@transaction.atomic
def _relate(subjects: Sequence[Subject], *, at: datetime) -> None:
    _one_at_a_time()
    read = Article.objects.select_for_update(no_key=True).filter(pk__in=[subject.pk for subject in subjects])
    # Asked for those that wait, SQLite would look through all that do.
    columns = ("pk", "version", "state", "compared_at")
    versions = {
        pk: version
        for pk, version, state, compared in read.order_by("pk").values_list(*columns)
        if state == ArticleState.PUBLISHED and compared is None
    }
    # What another worker was quicker with is left out, and so is what got other words since ours were read.
    ours = [subject for subject in subjects if versions.get(subject.pk) == subject.version]
    fresh = [subject for subject in ours if subject.published_at > at - comparison.KEPT]
    changed = _Round(fresh, at).run() if fresh else set()
    Article.objects.filter(pk__in=[subject.pk for subject in ours]).update(compared_at=at)
    surfaces.changed(surfaces.keys_of(sorted(changed)))


def _one_at_a_time() -> None:
    """Two workers would not see what the other has not committed, and two reports on one event would miss."""
    exclusion.one_at_a_time("stories")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Rows first and the changes' lock last is the other way round than a removal goes; where the two
            # meet, grouping gives way before the database would have to choose.
            cursor.execute("SET LOCAL lock_timeout = '300ms'")


class _Round:
    """One batch: what is known of the articles in it and around it, and what is decided."""

    def __init__(self, subjects: Sequence[Subject], at: datetime) -> None:
        self.subjects, self.at = subjects, at
        comparison.keep(subjects)
        self.found = comparison.found_for(subjects)
        # What has not had its turn is not compared with: a batch decides as its articles would one by one.
        self.pending = {subject.pk for subject in subjects}
        alike = {pk: found.worded_alike for pk, found in self.found.items() if found.worded_alike}
        self.sketches = comparison.sketches(chain(alike, *alike.values()), keep=True)
        others = chain.from_iterable(found.near + found.worded_alike for found in self.found.values())
        self.reports = comparison.reports(subjects, others)
        self.memberships: dict[int, StoryMembership] = {}
        self.members: dict[int, set[int]] = {}
        self.changed: set[int] = set()

    def run(self) -> set[int]:
        """Decide, oldest first; returns the articles whose story or primary changed."""
        self._respect_editors()
        for subject in self.subjects:
            self.pending.discard(subject.pk)
            report = self.reports[subject.pk]
            self._fold(report)
            self._group(subject, report)
        StoryMembership.objects.bulk_create(
            self.memberships.values(), update_conflicts=True, unique_fields=["article"],
            update_fields=["story", "score", "nearness", "reasons", "pinned", "at"],
        )  # fmt: skip
        return self.changed

    def _others(self, report: Report, pks: Iterable[int]) -> list[Report]:
        """Those of other sources, and not those whose turn is to come."""
        others = (self.reports.get(pk) for pk in pks if pk not in self.pending)
        return [other for other in others if other and other.source_id != report.source_id]

    def _is_copy(self, a: Report, b: Report) -> bool:
        least = SHORT_COPY if a.is_short or b.is_short else COPY
        return _sketched_alike(a.pk, b.pk, self.sketches) >= least

    def _respect_editors(self) -> None:
        """In another story than grouping gave it, or in none: an editor has been there, and it stays so."""
        rows = StoryMembership.objects.filter(pk__in=self.pending)
        given = dict(rows.values_list("pk", "story_id"))
        for pk in self.pending:
            report = self.reports[pk]
            if given.get(pk) != report.story_id and not report.pinned:
                self._remember(pk, report.story_id, Likeness(0.0), [], pinned=True)
                report.pinned = True

    # --- copies

    def _fold(self, report: Report) -> None:
        """Fold the report to the first of its text, or the later ones to it. Of another source, always."""
        if report.own_text:
            return
        alike = self._others(report, self.found[report.pk].worded_alike)
        same = [other for other in alike if not other.own_text and self._is_copy(report, other)]
        roots = {other.copy_of_id or other.pk for other in same} - {report.pk}
        known = [self.reports[pk] for pk in roots if pk in self.reports]
        first = min([report, *known], key=_age)
        if not roots:
            if report.copy_of_id:
                self._unfold(report.pk)
        elif first is not report:
            self._set_primary([one.pk for one in [report, *known] if one is not first], first.pk)
        elif len(known) == len(roots):
            self._set_primary([other.pk for other in known], report.pk)
        else:
            # Its text's first is too far back to be compared with, but known to the later copies.
            self._set_primary([report.pk], min(roots - {other.pk for other in known}))

    def _set_primary(self, copies: list[int], primary: int) -> None:
        """Fold these, and what was folded to them, to the primary."""
        gathered = Article.objects.filter(Q(pk__in=copies) | Q(copy_of__in=copies)).exclude(pk=primary)
        pks = list(gathered.values_list("pk", flat=True))
        Article.objects.filter(pk__in=pks).update(copy_of=primary)
        Article.objects.filter(pk=primary, copy_of__isnull=False).update(copy_of=None)
        self._know(pks, primary)
        self.changed.update(pks, [primary])

    def _unfold(self, pk: int) -> None:
        """Its text is not the other's any more."""
        Article.objects.filter(pk=pk).update(copy_of=None)
        self._know([pk], None)
        self.changed.add(pk)

    def _know(self, pks: list[int], primary: int | None) -> None:
        for pk in pks:
            if pk in self.reports:
                self.reports[pk].copy_of_id = primary

    # --- stories

    def _group(self, subject: Subject, report: Report) -> None:
        if report.copy_of_id:
            self._follow(report)
        if report.story_id or report.copy_of_id or report.pinned:
            return
        near = {
            other.pk: found
            for other in self._others(report, self.found[report.pk].near)
            if not other.copy_of_id and (found := likeness(report.profile, other.profile)).score >= CLOSE
        }
        story_id = self._story_among(near) or self._new_story(subject, near)
        if story_id:
            self._join(subject, report, story_id, near)
            self._fetch_late(report, story_id, near)

    def _follow(self, report: Report) -> None:
        """A copy is where its primary is."""
        if report.story_id or report.pinned:
            return
        of_primary = Article.objects.filter(copies=report.pk).values_list("story_id", flat=True).first()
        if of_primary:
            self._load_stories({of_primary})
            self._remember(report.pk, of_primary, Likeness(1.0), ["same text"])
            self._set_story([report.pk], of_primary)

    def _story_among(self, near: dict[int, Likeness]) -> int | None:
        """The story of which two reports and half of them are near, or its centre is; not one that is full."""
        close: dict[int, list[int]] = defaultdict(list)
        for pk in near:
            story_id = self.reports[pk].story_id
            if story_id:
                close[story_id].append(pk)
        self._load_stories(set(close))
        by_likeness = sorted(close, key=lambda story: -sum(near[pk].score for pk in close[story]))
        for story_id in by_likeness:
            centre = self._centre(story_id)
            is_central = centre in near and near[centre].score >= PAIR
            enough = max(2.0, SHARE * len(self._compared(story_id)))
            if (len(close[story_id]) >= enough or is_central) and len(self.members[story_id]) < MOST_IN_STORY:
                return story_id
        return None

    def _compared(self, story_id: int) -> list[Report]:
        """Of the story's reports those at hand, each text once."""
        reports = self.reports.values()
        return [report for report in reports if report.story_id == story_id and not report.copy_of_id]

    def _centre(self, story_id: int) -> int:
        """The report nearest to all the others of its story."""
        return max(self.members[story_id], key=lambda pk: (self.memberships[pk].nearness, -pk))

    def _new_story(self, subject: Subject, near: dict[int, Likeness]) -> int | None:
        alone = [pk for pk in near if not self.reports[pk].story_id and not self.reports[pk].pinned]
        best = max(alone, key=lambda pk: (near[pk].score, -pk), default=None)
        if best is None or near[best].score < PAIR:
            return None
        other = self.reports[best]
        said = _reasons(subject, near[best])
        lead = min([self.reports[subject.pk], other], key=_age)
        story = Story.objects.create(slug=_slug(said), lead_id=lead.pk)
        self.members[story.pk] = set()
        self._remember(best, story.pk, near[best], said)
        self.memberships[best].nearness = 0.0
        self._set_story([best], story.pk)
        return story.pk

    def _join(self, subject: Subject, report: Report, story_id: int, near: dict[int, Likeness]) -> None:
        inside = {pk: found for pk, found in near.items() if self.reports[pk].story_id == story_id}
        best = max(inside.values(), key=lambda found: found.score)
        self._remember(report.pk, story_id, best, _reasons(subject, best))
        for pk, found in inside.items():
            self.memberships[pk].nearness += found.score
            self.memberships[report.pk].nearness += found.score
        self._set_story([report.pk], story_id)

    def _fetch_late(self, report: Report, story_id: int, near: dict[int, Likeness]) -> None:
        """Reports that stood alone join when, with the new one, two of the story are near them."""
        inside = [pk for pk in near if self.reports[pk].story_id == story_id]
        for pk, found in near.items():
            alone = self.reports[pk]
            if alone.story_id or alone.pinned or len(self.members[story_id]) >= MOST_IN_STORY:
                continue
            ties = [likeness(alone.profile, self.reports[other].profile).score for other in inside]
            if any(tie >= CLOSE for tie in ties):
                self._remember(pk, story_id, found, ["near two reports"])
                self.memberships[pk].nearness = found.score + sum(tie for tie in ties if tie >= CLOSE)
                self._set_story([pk], story_id)

    def _remember(
        self, pk: int, story_id: int | None, found: Likeness, reasons: list[str], *, pinned: bool = False
    ) -> None:
        self.memberships[pk] = StoryMembership(
            article_id=pk, story_id=story_id, score=round(found.score, 4), reasons=reasons,
            nearness=0.0, pinned=pinned, at=self.at,
        )  # fmt: skip

    def _set_story(self, pks: list[int], story_id: int) -> None:
        """Put articles and their copies into the story."""
        pinned = Q(membership__isnull=False, membership__pinned=True)
        inside = Article.objects.filter(~pinned, Q(pk__in=pks) | Q(copy_of__in=pks), story__isnull=True)
        moved = list(inside.values_list("pk", flat=True))
        Article.objects.filter(pk__in=moved).update(story=story_id)
        for pk in moved:
            if pk not in self.memberships:
                self._remember(pk, story_id, Likeness(1.0), ["same text"])
            if pk in self.reports:
                self.reports[pk].story_id = story_id
        self.members[story_id].update(moved)
        self.changed.update(moved)

    def _load_stories(self, story_ids: set[int]) -> None:
        """Who is in these stories, asked once for each."""
        missing = story_ids - self.members.keys()
        if not missing:
            return
        for story_id in missing:
            self.members[story_id] = set()
        rows = {row.pk: row for row in StoryMembership.objects.filter(story__in=missing)}
        for pk, story_id in Article.objects.filter(story__in=missing).values_list("pk", "story_id"):
            self.members[story_id].add(pk)
            if pk not in self.memberships:
                self.memberships[pk] = rows.get(pk) or StoryMembership(
                    article_id=pk, story_id=story_id, pinned=True, at=self.at
                )


def _sketched_alike(a: int, b: int, sketches: Mapping[int, bytes]) -> float:
    return similarity(sketches[a], sketches[b]) if a in sketches and b in sketches else 0.0


def _age(report: Report) -> tuple[datetime, int]:
    return report.profile.published_at, report.pk


def _reasons(subject: Subject, found: Likeness) -> list[str]:
    words = (subject.said(key) for key in found.shared)
    return list({word.casefold(): word for word in words if word}.values())


def _slug(said: Iterable[str]) -> str:
    """From what the reports have in common: no headline, so it may stay when one of them goes."""
    words = slugify(" ".join(said), allow_unicode=True)[:80].strip("-")
    return f"{words or 'story'}-{new_token()[:6]}"


# --- what editors do --------------------------------------------------------------------------


@transaction.atomic
def merge(*, stories: Sequence[Story], into: Story, by: User | None, at: datetime) -> Story:
    """Make one story of several; the addresses of the others lead to it."""
    others = [story for story in stories if story.pk != into.pk]
    if into.merged_into_id or not others:
        raise NotTogether("Choose at least two stories that were not merged before.")
    moved = Article.objects.filter(story__in=others)
    pks = list(moved.values_list("pk", flat=True))
    keys = surfaces.keys_of(pks) | {f"story:{into.pk}"}
    place(articles=pks, story=into, by=by, at=at)
    gone = Q(pk__in=[story.pk for story in others]) | Q(merged_into__in=others)
    Story.objects.filter(gone).update(merged_into=into, lead=None)
    surfaces.changed(keys)
    return into


@transaction.atomic
def split(*, articles: Sequence[int], by: User | None, at: datetime) -> None:
    """Take articles out of their stories; grouping does not put them back."""
    keys = surfaces.keys_of(articles)
    Story.objects.filter(lead__in=articles).update(lead=None)
    place(articles=articles, story=None, by=by, at=at)
    surfaces.changed(keys)


@transaction.atomic
def split_off(*, articles: Sequence[int], by: User | None, at: datetime) -> Story:
    """Take articles out of their stories and into a new one, led by the first of them."""
    split(articles=articles, by=by, at=at)
    first = Article.objects.filter(pk__in=articles).order_by("published_at", "pk").first()
    story = Story.objects.create(slug=f"story-{new_token()[:8]}", lead=first)
    place(articles=articles, story=story, by=by, at=at)
    return story


@transaction.atomic
def place(*, articles: Sequence[int], story: Story | None, by: User | None, at: datetime) -> None:
    """Put articles where an editor wants them, for good."""
    keys = surfaces.keys_of(articles)
    for article in Article.objects.filter(pk__in=articles).only("story"):
        note(article, by=by, changes={"story_id": (article.story_id, story.pk if story else None)})
    Story.objects.filter(lead__in=articles).exclude(pk=story.pk if story else 0).update(lead=None)
    Article.objects.filter(pk__in=articles).update(story=story)
    StoryMembership.objects.bulk_create(
        [StoryMembership(article_id=pk, story=story, pinned=True, by=by, at=at) for pk in articles],
        update_conflicts=True,
        unique_fields=["article"],
        update_fields=["story", "pinned", "by", "at"],
    )
    surfaces.changed(keys | surfaces.keys_of(articles))


@transaction.atomic
def choose_lead(*, story: Story, article: Article) -> Story:
    """Let this article's headline stand over the story, in place of an editor's."""
    if article.story_id != story.pk:
        raise NotTogether("The leading article has to be one of the story's own.")
    note(story, by=None, changes={"lead_id": (story.lead_id, article.pk)})
    story.lead, story.headline = article, ""
    story.save(update_fields=["lead", "headline"])
    shown_anew(story)
    return story


@transaction.atomic
def rename(*, story: Story, headline: str, standfirst: str = "") -> Story:
    """Give a story words of our own; an empty headline leaves it to the leading article again."""
    story.headline, story.standfirst = headline, standfirst
    story.save(update_fields=["headline", "standfirst"])
    shown_anew(story)
    return story


@transaction.atomic
def unfold(*, article: Article, by: User | None, at: datetime) -> Article:
    """Show an article as a report of its own; it is not folded again."""
    keys = surfaces.keys_of([article.pk, *([article.copy_of_id] if article.copy_of_id else [])])
    article.copy_of = None
    article.save(update_fields=["copy_of"])
    StoryMembership.objects.update_or_create(
        article=article,
        defaults={"own_text": True, "by": by},
        create_defaults={"own_text": True, "by": by, "at": at, "story": article.story},
    )
    surfaces.changed(keys)
    return article


@transaction.atomic
def save(*, story: Story) -> Story:
    """Store what the desk says of a story. With a new address it is still met at its former ones."""
    before = Story.objects.filter(pk=story.pk).values_list("slug", flat=True).first()
    story.save()
    merging.lead_to(story, [before] if before and before != story.slug else [])
    shown_anew(story)
    return story


def shown_anew(story: Story) -> None:
    """Readers get the story, and the articles that name it, as they are now."""
    articles = story.articles.values_list("pk", flat=True)[: surfaces.MANY]
    surfaces.changed({f"story:{story.pk}"} | {f"article:{pk}" for pk in articles})


# --- what goes --------------------------------------------------------------------------------


def family_of(article: Article) -> Q:
    """Whatever is folded together with it or has the same text; known of a withheld article as well."""
    root = article.copy_of_id or article.pk
    family = Q(pk=root) | Q(copy_of=root)
    # Said twice, because the index has no articles without a text and a database does not see that this is one with.
    return family | Q(~Q(text_key=""), text_key=article.text_key) if article.text_key else family


def copies_of(article: Article) -> list[tuple[Article, float]]:
    """Articles with the same or nearly the same text, and how alike, the likest first.

    For whoever decides on one of them. Of any source, held ones as well; erased ones have no text.
    """
    family = family_of(article) | Q(pk__in=comparison.sharing_text(article))
    found = Article.objects.filter(family).exclude(pk=article.pk).exclude(state=ArticleState.ERASED)
    others = list(found.select_related("source")[:MOST_COPIES])
    sketches = comparison.sketches([article.pk, *(other.pk for other in others)])
    alike = [(other, _alikeness(article, other, sketches)) for other in others]
    alike = [(other, value) for other, value in alike if value >= SHORT_COPY]
    return sorted(alike, key=lambda pair: (-pair[1], pair[0].pk))


def _alikeness(a: Article, b: Article, sketches: Mapping[int, bytes]) -> float:
    if a.text_key and a.text_key == b.text_key:
        return 1.0
    return _sketched_alike(a.pk, b.pk, sketches)


def forget(article_id: int) -> None:
    """Nothing is left here of an erased article: no terms, no membership, no lead, no primary.

    Its copies, which whoever decided left standing, are folded to the first of them from then on.
    """
    comparison.drop([article_id])
    StoryMembership.objects.filter(pk=article_id).delete()
    Story.objects.filter(lead=article_id).update(lead=None)
    copies = Article.objects.filter(copy_of=article_id).order_by("published_at", "pk")
    pks = list(copies.values_list("pk", flat=True))
    if pks:
        Article.objects.filter(pk=pks[0]).update(copy_of=None)
        Article.objects.filter(pk__in=pks[1:]).update(copy_of=pks[0])
        surfaces.changed(surfaces.keys_of(pks))
