"""How well copies and stories are found, and what an article costs, at three sizes of the table.

    python bench/stories.py quality    precision and recall over thresholds; draws docs/images/stories-*.svg
    python bench/stories.py held-out   the same at the thresholds in use, on reports they were not set by
    python bench/stories.py cost       CPU time an article with 1,000, 10,000 and 100,000 articles stored

Both work on a database of their own in a temporary folder (or on DATABASE_URL, which must be empty).
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import combinations
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
os.environ.setdefault("DEBUG", "true")
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="newsroom-stories-")

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402

from aggregator.normalise import Outlet, draft, offers  # noqa: E402
from aggregator.parse import parse  # noqa: E402
from articles import stories  # noqa: E402
from articles.actions import ingest  # noqa: E402
from articles.fingerprint import signature, similarity  # noqa: E402
from articles.models import Article, Comparison, Source, Story, StoryMembership  # noqa: E402
from articles.sanitise import to_text  # noqa: E402

LABELS = json.loads((ROOT / "bench" / "stories_labels.json").read_text())
AT = datetime.now(UTC)
Points = list[tuple[float, float, float]]


# --- the labelled set -------------------------------------------------------------------------


def load_demo() -> dict[int, str]:
    """Bring the demo's feeds in; article to the name it has among the labels."""
    call_command("migrate", verbosity=0)
    for path in sorted((ROOT / "demo" / "feeds").iterdir()):
        text = re.sub(r"\{\{(\w+):(\d+)\}\}", _moment, path.read_text())
        document = parse(text.encode(), url=f"https://{path.stem}.example/feed")
        outlet = Outlet(path.stem, path.stem, f"{path.stem}.example", document.language or "")
        found = (draft(offer, document, outlet, at=AT) for offer in offers(document, domain=outlet.domain))
        source = Source.objects.create(name=path.stem, slug=path.stem)
        ingest(source=source, drafts=[one for one in found if one], at=AT)
    names = {}
    for article in Article.objects.select_related("source"):
        last = re.split(r"[/=]", article.canonical_url.partition("?utm")[0].rstrip("/"))[-1]
        names[article.pk] = f"{article.source.slug}/{last.removesuffix('.html')}"
    return names


def _moment(found: re.Match[str]) -> str:
    at = AT - timedelta(minutes=int(found[2]))
    return format_datetime(at) if found[1] == "rfc822" else at.isoformat()


def events_of(name: str) -> tuple[set[str], set[str]]:
    """The events an article reports, and those it only has to do with."""
    core = {event for event, told in LABELS["reports"].items() if name in told}
    return core, core | {event for event, told in LABELS["asides"].items() if name in told}


def verdicts(names: dict[int, str]) -> dict[tuple[int, int], bool]:
    """Pairs of articles to whether they report one event; what is arguable is left out."""
    labels = {pk: events_of(name) for pk, name in names.items()}
    found = {}
    for a, b in combinations(sorted(names), 2):
        same = bool(labels[a][0] & labels[b][0])
        if same or not labels[a][1] & labels[b][1]:
            found[a, b] = same
    return found


# --- quality ----------------------------------------------------------------------------------


def grouped(batch: int, pair: float) -> dict[int, int]:
    """Group the demo anew; article to story."""
    stories.PAIR, stories.CLOSE = pair, pair - 0.02
    Article.objects.update(story=None, copy_of=None, compared_at=None)
    for model in (StoryMembership, Story):
        model.objects.all().delete()
    while stories.relate_due(batch, AT):
        pass
    return {pk: story for pk, story in Article.objects.values_list("pk", "story_id") if story}


def measured(together: dict[int, int], expected: dict[tuple[int, int], bool]) -> tuple[float, float]:
    """Precision and recall over pairs."""
    said = {(a, b) for a, b in expected if together.get(a) is not None and together.get(a) == together.get(b)}
    right = sum(expected[pair] for pair in said)
    return right / len(said) if said else 1.0, right / sum(expected.values())


def story_curve(names: dict[int, str]) -> Points:
    expected, points = verdicts(names), []
    for pair in (0.15, 0.19, 0.24, 0.28):
        runs = [measured(grouped(batch, pair), expected) for batch in (7, 50, 150)]
        precision, recall = (sum(values) / len(runs) for values in zip(*runs, strict=True))
        points.append((pair, precision, recall))
    return points


def copy_curve() -> Points:
    """Edited copies of the demo's long texts, against all pairs of different texts."""
    chance = random.Random(7)
    texts = [to_text(body) for body in Article.objects.values_list("body", flat=True)]
    texts = [text for text in texts if len(text.split()) >= 60]
    vocabulary = sorted({word for text in texts for word in text.split()})
    copies = [similarity(signature(t), signature(_edited(t, vocabulary, chance))) for t in texts * 3]
    marks = [signature(text) for text in texts]
    others = [similarity(a, b) for a, b in combinations(marks, 2)]
    # The two wire reports that a local paper of the demo reprints are copies, not others.
    others = sorted(others)[:-2]
    points = []
    for step in range(30, 96, 5):
        least = step / 100
        right, wrong = (sum(value >= least for value in values) for values in (copies, others))
        points.append((least, right / (right + wrong) if right + wrong else 1.0, right / len(copies)))
    return points


def _edited(text: str, vocabulary: Sequence[str], chance: random.Random) -> str:
    """As a desk edits a wire: a lead of its own, up to 8 % of the words changed, up to 15 % cut from the end."""
    words = text.split()
    words = words[: int(len(words) * chance.uniform(0.85, 1.0))]
    share = chance.uniform(0, 0.08)
    words = [chance.choice(vocabulary) if chance.random() < share else word for word in words]
    return " ".join([*chance.sample(list(vocabulary), chance.choice((0, 0, 6))), *words])


def quality() -> None:
    names = load_demo()
    chosen = stories.PAIR
    told = [*(("story", "stories", story_curve(names)),), ("copy", "copies", copy_curve())]
    for (kind, name, points), mark in zip(told, (chosen, stories.COPY), strict=True):
        for least, precision, recall in points:
            print(f"{kind} at {least:.2f}: precision {precision:.3f}, recall {recall:.3f}")
        drawing = _drawn(points, mark, f"{name.capitalize()}: precision and recall by threshold")
        (ROOT / "docs" / "images" / f"stories-{name}.svg").write_text(drawing)


def held_out() -> None:
    """The thresholds as they are set, on reports that nobody set them by, and on copies of long texts."""
    call_command("migrate", verbosity=0)
    sets = json.loads((ROOT / "bench" / "stories_held_out.json").read_text())
    for name, told in sets.items():
        events = _stored_reports(told)
        expected = {(a, b): events[a][0] == events[b][0] for a, b in combinations(sorted(events), 2)}
        one_language = {
            pair: same for pair, same in expected.items() if events[pair[0]][1] == events[pair[1]][1]
        }
        for batch in (7, 50, 200):
            together = grouped(batch, stories.PAIR)
            for what, pairs in (("all", expected), ("of one language", one_language)):
                precision, recall = measured(together, pairs)
                print(
                    f"{name} set, {len(told)} reports, {sum(pairs.values())} true pairs {what}, batches of {batch}:"
                    f" precision {precision:.3f}, recall {recall:.3f}"
                )
    _held_out_copies([f"{headline}. {lead}" for told in sets.values() for *_, headline, lead in told])


def _stored_reports(told: list[list[Any]]) -> dict[int, tuple[str, str]]:
    """These reports alone, each by its source at its hour; article to event and language."""
    Article.objects.all().delete()
    sources = {name: Source.objects.get_or_create(name=name, slug=name)[0] for _, name, *_ in told}
    events = {}
    for number, (event, name, language, hours, headline, lead) in enumerate(told):
        article = Article.objects.create(
            state="published", slug=f"held-{number}", headline=headline, body=f"<p>{lead}</p>", language=language,
            source=sources[name], canonical_url=f"https://{name}.example/{number}", url_key=f"held-{number}",
            published_at=AT - timedelta(hours=120 - hours),
        )  # fmt: skip
        events[article.pk] = event, language
    return events


def _held_out_copies(texts: list[str]) -> None:
    """Long texts, each with two copies that other desks edited and gave a headline of their own, as they come in."""
    chance = random.Random(11)
    chance.shuffle(texts)
    long = [" ".join(texts[n : n + 5]) for n in range(0, len(texts) - 5, 5)]
    vocabulary = sorted({word for text in texts for word in text.split()})
    told = []
    for number, text in enumerate(long):
        for desk in range(3):
            body = _edited(text, vocabulary, chance) if desk else text
            headline = " ".join(chance.sample(vocabulary, 7))
            told.append([str(number), f"desk-{desk}", "en", number + desk, headline, body])
    events = _stored_reports(told)
    grouped(50, stories.PAIR)
    root = {pk: copy_of or pk for pk, copy_of in Article.objects.values_list("pk", "copy_of_id")}
    expected = {(a, b): events[a][0] == events[b][0] for a, b in combinations(sorted(events), 2)}
    precision, recall = measured(root, expected)
    print(f"copies, {sum(expected.values())} true pairs: precision {precision:.3f}, recall {recall:.3f}")


def _drawn(points: Points, chosen: float, title: str) -> str:
    """Two lines over the threshold, and where it was set."""
    low, high = points[0][0], points[-1][0]

    def x(value: float) -> float:
        return 60 + 560 * (value - low) / (high - low)

    def line(index: int) -> str:
        return " ".join(f"{x(point[0]):.1f},{300 - 250 * point[index]:.1f}" for point in points)

    ticks = "".join(
        f'<text x="{x(least):.1f}" y="320" text-anchor="middle">{least:.2f}</text>' for least, _, _ in points
    )
    scale = "".join(
        f'<path d="M60 {300 - 250 * s:.0f}H620" stroke="#ddd"/>'
        f'<text x="52" y="{304 - 250 * s:.0f}" text-anchor="end">{s:.1f}</text>'
        for s in (0, 0.2, 0.4, 0.6, 0.8, 1.0)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 340" font-family="sans-serif" font-size="12">'
        f'<title>{title}</title><rect width="660" height="340" fill="#fff"/>'
        f'<text x="60" y="24" font-size="15">{title}</text>{scale}{ticks}'
        f'<path d="M{x(chosen):.1f} 50V300" stroke="#888" stroke-dasharray="4 4"/>'
        f'<polyline points="{line(1)}" fill="none" stroke="#0b5c8c" stroke-width="2"/>'
        f'<polyline points="{line(2)}" fill="none" stroke="#b3431e" stroke-width="2" stroke-dasharray="7 3"/>'
        '<text x="470" y="24" fill="#0b5c8c">precision</text>'
        '<text x="550" y="24" fill="#b3431e">recall (dashed)</text></svg>\n'
    )


# --- cost -------------------------------------------------------------------------------------


def cost(sizes: Iterable[int] = (1_000, 10_000, 100_000)) -> None:
    """Fill the table through the work itself; at each size time the next 500 articles."""
    call_command("migrate", verbosity=0)
    chance, made = random.Random(3), 0
    # As in any language a few words are everywhere and most are rare.
    words = [f"w{n}" for n in range(60_000)]
    weights = [1 / (n + 10) for n in range(60_000)]
    sources = Source.objects.bulk_create(Source(name=f"Outlet {n}", slug=f"outlet-{n}") for n in range(200))
    for size in sizes:
        while made < size:
            made += _store(min(2000, size - made), made, chance, words, weights, sources)
            while stories.relate_due(50, AT):
                pass
        made += _store(500, made, chance, words, weights, sources)
        began, done = time.process_time(), 0
        while batch := stories.relate_due(50, AT):
            done += batch
        spent = (time.process_time() - began) / done * 1000
        print(f"{size:>7} stored, {Comparison.objects.count()} compared: {spent:.2f} ms CPU an article")


def _store(
    count: int, first: int, chance: random.Random, words: list[str], weights: list[float], sources: Any
) -> int:
    """Articles of a week, one in five of them on an event that others report too."""
    articles = []
    for n in range(first, first + count):
        text = chance.choices(words, weights, k=90)
        if n % 5 == 0:
            event = random.Random(n // 40)
            text[:8] = [f"Name{event.randrange(40_000)}" for _ in range(8)]
        body = " ".join(text)
        articles.append(
            Article(
                state="published", slug=f"a-{n}", headline=" ".join(text[:10]), body=f"<p>{body}</p>",
                language="en", source=sources[n % 200], canonical_url=f"https://o.example/{n}", url_key=f"{n}",
                published_at=AT - timedelta(minutes=chance.randrange(10_000)), signature=signature(body),
            )
        )  # fmt: skip
    Article.objects.bulk_create(articles, batch_size=200)
    return count


if __name__ == "__main__":
    {"quality": quality, "held-out": held_out, "cost": cost}[sys.argv[1]]()
