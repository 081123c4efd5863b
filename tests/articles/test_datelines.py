"""Datelines are taken from the head of a report, and nothing else is."""

from __future__ import annotations

import pytest

from articles.datelines import split_body_dateline, split_dateline


@pytest.mark.parametrize(
    ("text", "dateline", "rest"),
    [
        ("LESK (Northline) - The list is pinned.", "LESK (Northline)", "The list is pinned."),
        ("BRENNA, Karsova — The bakery sold out.", "BRENNA, Karsova", "The bakery sold out."),
        ("NORDDAMM, Veldmark (Northline) - Engineers sank a barge.", "NORDDAMM, Veldmark (Northline)",
         "Engineers sank a barge."),
        ("WASHINGTON (AP) — The bill passed.", "WASHINGTON (AP)", "The bill passed."),
        ("LONDON, Nov 22 (Reuters) - Shares rose.", "LONDON, Nov 22 (Reuters)", "Shares rose."),
        ("Berlin (dpa) - Die Minister trafen sich.", "Berlin (dpa)", "Die Minister trafen sich."),
        ("PARIS, 12 novembre (AFP) – Le gouvernement a cédé.", "PARIS, 12 novembre (AFP)",
         "Le gouvernement a cédé."),
        ("КИЇВ — Рада ухвалила закон.", "КИЇВ", "Рада ухвалила закон."),
        ("NEW YORK — Subways stopped.", "NEW YORK", "Subways stopped."),
        ("ST. JOHN’S — Fog closed the port.", "ST. JOHN’S", "Fog closed the port."),
    ],
)  # fmt: skip
def test_a_dateline_is_taken_from_the_head(text: str, dateline: str, rest: str) -> None:
    assert split_dateline(text) == (dateline, rest)


@pytest.mark.parametrize(
    "text",
    [
        "The minister – a former pilot – resigned.",
        "NATO - the alliance of 32 states: what it is",
        "A long-standing row ended.",
        "“WAR — never again,” she said.",
        "Ann Lee (54) was cycling - fast.",
        "BREAKING: dam fails — live",
        "IS 5 — or 6 — the right number?",
        "",
        "— nothing before",
        "KYIV",
    ],
)
def test_what_is_no_dateline_stays(text: str) -> None:
    assert split_dateline(text) == ("", text)


def test_a_dateline_leaves_the_first_paragraph_of_the_body() -> None:
    body = "<p><strong>LESK</strong> said.</p>"
    assert split_body_dateline(body) == ("", body)
    assert split_body_dateline("<p>LESK (Northline) - The list.</p><p>More.</p>") == (
        "LESK (Northline)",
        "<p>The list.</p><p>More.</p>",
    )
