"""Nothing a widely used parser finds in a feed is lost by ours."""

from __future__ import annotations

import pytest

from tests.aggregator import corpus
from tests.aggregator.oracle import differences

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


# Where the oracle itself fails: it raises on half a surrogate pair, and it believes
# a wrong declaration of Latin-1.
SHAPES = {
    **corpus.WELL_FORMED,
    **corpus.ILL_FORMED,
    "soup": corpus.SOUP.replace(b"&#xD800;", b""),
}
del SHAPES["utf-8 called latin-1"]


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_is_lost_against_the_oracle(name: str) -> None:
    assert differences(SHAPES[name]) == []


def test_the_yardstick_notices_a_lost_name() -> None:
    data = corpus.RSS_1.replace(b"<dc:contributor>", b"<x>").replace(b"</dc:contributor>", b"</x>")

    assert differences(corpus.RSS_1) == []
    assert "Änne" not in str(differences(data))
