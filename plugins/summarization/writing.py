"""A summary by a base that writes: the text in other words, at the length that is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from assistant import split_sentences

from .lengths import Length
from .selection import count_words

if TYPE_CHECKING:
    from assistant.engine.base import Engine, Rendered

# What a summary may have of each unit. Tokens; Portuguese takes more of them than English.
PER_UNIT = {"sentences": 64, "words": 4}
MAX_TOKENS = 512


def most_tokens(length: Length) -> int:
    """Where the base is stopped at the latest."""
    return min(MAX_TOKENS, 16 + PER_UNIT[length.unit] * length.amount)


def said_length(length: Length, said: Mapping[str, str]) -> str:
    """The length in words, as the prompt's examples have it."""
    if length.unit == "sentences" and length.amount == 1:
        return said["one_sentence"]
    return said[f"at_most_{length.unit}"].format(amount=length.amount)


def written(asked: Rendered, length: Length, engine: Engine, most: int) -> Iterator[str]:
    """The summary so far, after each piece, of which there are at most so many; it is over where it is as long as
    asked, or where its line ends."""
    text = ""
    for piece in engine.generate(asked.text, max_tokens=most):
        text += piece
        # Everything from the line's end on is the next example, and nobody asks for it.
        line, ended, _ = text.lstrip().partition("\n")
        kept = within(line, length)
        yield kept
        if ended or len(kept) < len(line.rstrip()):
            return


def within(text: str, length: Length) -> str:
    """The first sentences, as many as the length allows, but at least one."""
    end = 0
    for number, (_, stop) in enumerate(split_sentences(text), start=1):
        size = number if length.unit == "sentences" else count_words(text[:stop])
        if end and size > length.amount:
            break
        end = stop
    return text[:end]
