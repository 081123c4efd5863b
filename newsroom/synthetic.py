"""Synthetic articles for load: of realistic length, credits and dates, with tags as unevenly used as real ones."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, product
from random import Random

from django.db import transaction
from django.utils.text import slugify

from articles.actions import CREATED, ingest
from articles.bylines import Credit, Role
from articles.canonical import address_key
from articles.drafts import Draft
from articles.fingerprint import title_day_key
from articles.models import Source, UsagePolicy

SPAN = timedelta(days=3 * 365)
BATCH = 2_000
OUTLETS = 36
PARAGRAPHS = 3_000
INVENTED = 300_000


def _phrases(listed: str) -> list[str]:
    return listed.strip().replace("\n", "|").split("|")


PLACES = (
    "Aldermoor",
    "Brackwater",
    "Cinderford",
    "Dunmarrow",
    "Eastwick",
    "Farhaven",
    "Greywater",
    "Hollin",
    "Iverness",
    "Jarrow-Mere",
    "Kestrel-Bay",
    "Lindale",
    "Marlock",
    "Northgate",
    "Oxmoor",
    "Pellan",
    "Quarrydale",
    "Ravensby",
    "Southmere",
    "Thornby",
    "Ulverton",
    "Westering",
)
TOPICS = [
    "schools",
    "harbours",
    "rivers",
    "budgets",
    "hospitals",
    "theatre",
    "football",
    "rail",
    "housing",
    "soil",
]
FIRST = (
    "Ada",
    "Bram",
    "Cleo",
    "Dov",
    "Elin",
    "Fenn",
    "Gita",
    "Hugo",
    "Ines",
    "Joss",
    "Kaja",
    "Levi",
    "Mira",
    "Nils",
    "Oona",
    "Piet",
    "Runa",
    "Sami",
    "Tove",
    "Yara",
)
LAST = [
    "Ashgrove",
    "Bellweather",
    "Corrigan-Hale",
    "van Dorst",
    "Okonjo",
    "Lindqvist",
    "Marchetti",
    "Tanaka-Reed",
]
WHO = _phrases("""
the council|a committee of the assembly|the harbour board|residents of the lower town|an engineer on the project
the teachers' union|a former minister|the museum's director|two of the farmers|the regional court|the club's captain
a team of biologists|the ferry company|the hospital's night staff|an independent auditor|the water authority
""")
DID = _phrases("""
voted to postpone|asked for a second opinion on|published the figures for|walked out of a meeting about
promised to pay for|found a fault in|withdrew an objection to|has begun to rebuild|would rather not discuss
won an appeal concerning|set aside eleven million for|agreed on a timetable for|lost patience with
""")
WHAT = _phrases("""
the new sea wall|a night train that nobody expected to return|the merger of two small schools|the old grain exchange
a survey of the estuary|the roof of the market hall|a film festival without films|the sale of the town forest
a vaccine that needs no refrigerator|the third crossing of the river|the team's winter training ground
an archive found behind a wall|the price of a family ticket|a change to the rules on overtime
""")
WHY = _phrases("""
after a winter in which the pumps had failed twice|although the money has yet to be found
on the ground that the maps were out of date|because no one could remember who had asked for it
in a session that lasted until four in the morning|while the opposition spoke of a missed chance
to the surprise of those who had queued since dawn|as the law has required since the spring
and said that a decision could be expected within the month|which is more than the budget allows
""")
SAID = """
“We were told that it would take a week, and that was in March,” said {name}.
“It is a good plan, but it is somebody else's plan,” {name} said. “Ours is in the drawer.”
{name}, who has followed the matter for years, called the outcome sensible and late.
“Ask me again when the water has gone down,” said {name}, and went back to work.
According to {name}, the figures leave little room for doubt.
“I have read it twice,” {name} said. “The second time I had a pencil.”
""".strip().splitlines()

SYLLABLES = _phrases(
    "bal|ber|bo|dan|del|do|fen|fi|gar|go|hel|il|jor|kas|kel|ko|lan|len|lo|mar|mer|mi|nad|nor|os|pal|per|pu"
    "|ran|ri|ros|sal|sel|so|tam|tel|to|um|van|vel|vi|wan|wil|xan|yar|yo|zel|zo"
)


def _invented(number: int) -> str:
    """A name of three or more syllables, another one for each number."""
    said = ""
    while number or len(said) < 6:
        number, syllable = divmod(number, len(SYLLABLES))
        said += SYLLABLES[syllable]
    return said.capitalize()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph's text, and its words as a fingerprint sees them."""

    text: str
    words: str
    length: int

    @classmethod
    def of(cls, text: str) -> Paragraph:
        words = re.findall(r"[^\W_]+", text.casefold())
        return cls(text, " ".join(words), len(words))


@dataclass
class World:
    """What every synthetic article draws from: made once, so that a million articles need no more memory."""

    random: Random
    token: str
    at: datetime
    people: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    tag_weights: list[float] = field(default_factory=list)
    paragraphs: list[Paragraph] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.people = [f"{first} {last}" for first, last in product(FIRST, LAST)]
        self.tags = [f"{place} {topic}" for topic, place in product(TOPICS, PLACES)]
        self.random.shuffle(self.tags)
        self.tag_weights = list(accumulate(1 / rank for rank in range(1, len(self.tags) + 1)))
        self.paragraphs = [Paragraph.of(self._paragraph()) for _ in range(PARAGRAPHS)]
        self.sources = [_source(number) for number in range(OUTLETS)]

    def _paragraph(self) -> str:
        return " ".join(self._sentence() for _ in range(self.random.randint(2, 5)))

    def _sentence(self) -> str:
        if self.random.random() < 0.3:
            return self.random.choice(SAID).format(name=self.random.choice(self.people))
        day = f"On day {self.random.randint(2, 400)}" if self.random.random() < 0.4 else "In the end"
        place = self.random.choice(PLACES)
        return f"{day} {self._event()} in {place}, {self.random.choice(WHY)}."

    def _event(self) -> str:
        return f"{self.random.choice(WHO)} {self.random.choice(DID)} {self.random.choice(WHAT)}"

    def name(self) -> str:
        """One of very many: few of them in many articles, most in one or two, as names are."""
        return _invented(int(INVENTED * self.random.random() ** 3))

    def headline(self) -> str:
        said = f"{self._event()} in {self.random.choice(PLACES)}"
        if self.random.random() < 0.4:
            said += f", says {self.name()}"
        return said[0].upper() + said[1:]

    def text(self) -> list[Paragraph]:
        """Paragraphs of 200 to 900 words in all."""
        wanted, chosen = self.random.randint(200, 840), []
        while wanted > 0:
            chosen.append(self.random.choice(self.paragraphs))
            wanted -= chosen[-1].length
        names = [self.name() for _ in range(5)]
        return [*chosen, Paragraph.of(f"Among those named were {', '.join(names)}.")]

    def credits(self) -> tuple[Credit, ...]:
        names = self.random.sample(self.people, self.random.choice([1, 1, 1, 2, 2, 3, 5]))
        roles = [
            Role.AUTHOR,
            Role.AUTHOR,
            Role.PHOTOGRAPHER,
            Role.CONTRIBUTING_REPORTER,
            Role.CONTRIBUTING_REPORTER,
        ]
        return tuple(Credit(name, role) for name, role in zip(names, roles, strict=False))

    def subjects(self) -> tuple[str, ...]:
        chosen = self.random.choices(self.tags, cum_weights=self.tag_weights, k=self.random.randint(1, 5))
        return tuple(dict.fromkeys(chosen))

    def draft(self, number: int, source: Source, published_at: datetime) -> Draft:
        headline, paragraphs, credits = self.headline(), self.text(), self.credits()
        url = f"{source.homepage}{published_at:%Y/%m}/{slugify(headline)[:60]}-{self.token}-{number}"
        return Draft(
            canonical_url=url,
            url_key=address_key(url),
            guid_key=hashlib.sha256(url.encode()).hexdigest(),
            headline=headline,
            standfirst=paragraphs[0].text.partition(". ")[0] + ".",
            body="".join(f"<p>{paragraph.text}</p>\n" for paragraph in paragraphs),
            byline="By " + " and ".join(credit.name for credit in credits if credit.role == Role.AUTHOR),
            language="en",
            credits=credits,
            tags=self.subjects(),
            published_at=published_at,
            usage_terms=source.terms,
            text_key=_fingerprint(paragraphs),
            title_day_key=title_day_key(source.slug, f"{headline} {number}", published_at.date()),
        )


def _fingerprint(paragraphs: Sequence[Paragraph]) -> str:
    # What `text_fingerprint` says of the whole text, from words that were split once.
    return hashlib.sha256(" ".join(paragraph.words for paragraph in paragraphs).encode()).hexdigest()


def _source(number: int) -> Source:
    domain = f"outlet{number:02}.load.example"
    usage = (UsagePolicy.FULL, UsagePolicy.EXCERPT, UsagePolicy.EXCERPT, UsagePolicy.HEADLINE)[number % 4]
    source, _ = Source.objects.get_or_create(
        slug=f"load-outlet-{number:02}",
        defaults={
            "name": f"The {PLACES[number % len(PLACES)]} {('Post', 'Mercury')[number // len(PLACES)]}",
            "domain": domain,
            "homepage": f"https://{domain}/",
            "language": "en",
            "usage": usage,
            "terms": "Synthetic text; nobody's rights are touched.",
        },
    )
    return source


def make(count: int, *, at: datetime, seed: str) -> Iterator[int]:
    """Store that many articles, oldest first, batch by batch; yields how many are stored so far."""
    world = World(Random(seed), hashlib.sha256(seed.encode()).hexdigest()[:8], at)
    done = 0
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        done += _store(_drafts(world, numbers, count), at=at)
        yield done


def _drafts(world: World, numbers: Sequence[int], count: int) -> dict[Source, list[Draft]]:
    """One batch, by outlet. The larger outlets publish more."""
    drafts: dict[Source, list[Draft]] = defaultdict(list)
    for number in numbers:
        source = world.sources[int(world.random.random() ** 2 * OUTLETS)]
        age = SPAN * (1 - (number + world.random.random()) / count)
        drafts[source].append(world.draft(number, source, world.at - age))
    return drafts


@transaction.atomic
def _store(drafts: dict[Source, list[Draft]], *, at: datetime) -> int:
    stored = (done for source, some in drafts.items() for done in ingest(source=source, drafts=some, at=at))
    return sum(done.outcome == CREATED for done in stored)
