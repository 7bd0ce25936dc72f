"""A text to summarize: each sentence like no other, as important as it has stars."""

from __future__ import annotations

from collections.abc import Mapping

from assistant_plugins.summarization import Summarization

TOPICS = (
    "harbour",
    "library",
    "railway",
    "theatre",
    "brewery",
    "hospital",
    "airport",
    "museum",
    "stadium",
    "market",
)


def sentence(number: int, stars: int = 0) -> str:
    """A sentence like no other, with as many stars as it is important."""
    topic = TOPICS[number % len(TOPICS)]
    return f"Visitors{number} praised{number} the new {topic}{number} last spring{number}{' *' * stars}."


def article(stars: Mapping[int, int], sentences: int = 10) -> str:
    return " ".join(sentence(number, stars.get(number, 0)) for number in range(sentences))


APPLICATION = Summarization()
IMPORTANT = {7: 4, 2: 3, 5: 2, 0: 1}
ARTICLE = article(IMPORTANT)
