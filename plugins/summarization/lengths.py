"""How long a summary has to be: what a message asks for, in words or figures, and what suits when it asks nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

_NUMBERS = {
    **dict.fromkeys(("a few", "some", "algumas", "alguns", "poucas", "poucos"), 3),
    **dict.fromkeys(("a couple of", "a couple"), 2),
    **dict.fromkeys(("a single", "single", "an", "a", "one", "uma única", "uma só", "uma", "um", "numa"), 1),
    **dict.fromkeys(("two", "duas", "dois"), 2),
    **dict.fromkeys(("three", "três", "tres"), 3),
    **dict.fromkeys(("four", "quatro"), 4),
    **dict.fromkeys(("five", "cinco"), 5),
    **dict.fromkeys(("six", "seis"), 6),
    **dict.fromkeys(("seven", "sete"), 7),
    **dict.fromkeys(("eight", "oito"), 8),
    **dict.fromkeys(("nine", "nove"), 9),
    **dict.fromkeys(("ten", "dez"), 10),
}
_NUMBER = rf"\b(?P<n>\d{{1,5}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
# Of a text in lower case: a pattern that does not look at capitals takes "fıve" and "sİx" for numbers, too.
_SENTENCES = re.compile(
    rf"{_NUMBER}[\s-]+(?:(?:short|brief|simple|key|main|bullet|full|frases? curtas?|breves?|pequenas?)\s+)?"
    r"(?:sentences?|lines?|points?|bullets?|phrases?|frases?|linhas?|períodos?|pontos?|tópicos?)\b"
)
_WORDS = re.compile(rf"{_NUMBER}[\s-]+(?:words?|palavras?)\b")
# How much is to go, not to stay.
_OFF = r"(?P<off>\b(?:by|off)\s+)?"
_PERCENT = re.compile(rf"{_OFF}\b(?P<n>\d{{1,3}}(?:[.,]\d+)?)\s?(?:%|percent\b|per cent\b|por cento\b)")
_FRACTIONS = (
    (1 / 2, re.compile(rf"{_OFF}\b(?:half|metade)\b")),
    (1 / 3, re.compile(rf"{_OFF}\b(?:a|one|um) (?:third|terço)\b")),
    (1 / 4, re.compile(rf"{_OFF}\b(?:a|one|um) (?:quarter|quarto)\b")),
)
# A message that goes on about the length; "why?" and the next text carry the last message's options along.
_RELATIVE = re.compile(
    r"short|brief|concis|long|detail|detalh|curt|breve|(?:fewer|less|more) words|(?:menos|mais) palavras",
    re.I,
)
# To the usual length, and to the length before.
_USUAL = {"short": 0.5, "long": 2.0}
_BEFORE = {"shorter": 0.5, "longer": 2.0}

FEW, MANY, SHARE = 3, 7, 0.2


@dataclass(frozen=True)
class Length:
    """An upper bound on a summary, at least one of `unit`."""

    amount: int
    unit: Literal["sentences", "words"]

    def times(self, factor: float) -> Length:
        """The length scaled; no less than one, no more than `factor` allows."""
        return Length(max(1, int(self.amount * factor)), self.unit)


def usual(sentences: int) -> Length:
    """Three sentences; a fifth of a longer text, up to seven; never more than half of the text."""
    share = min(MANY, max(FEW, round(SHARE * sentences)))
    return Length(max(1, min(share, sentences // 2)), "sentences")


def asked(instruction: str, words: int) -> Length | None:
    """The length that an instruction names, for a text of so many words; None when it names none.

    "in 2 sentences", "three bullet points", "max. 50 words", "20%", "by 20%", "half the length", "by a third", and
    the same in Portuguese. Of a range ("2-3 sentences") the upper end counts. A share is one of the text's words.
    """
    instruction = instruction.casefold()
    if match := _SENTENCES.search(instruction):
        return Length(max(1, _number(match["n"])), "sentences")
    if match := _WORDS.search(instruction):
        return Length(max(1, _number(match["n"])), "words")
    if match := _PERCENT.search(instruction):
        share = min(1.0, float(match["n"].replace(",", ".")) / 100)
    else:
        found = ((share, match) for share, pattern in _FRACTIONS if (match := pattern.search(instruction)))
        share, match = next(found, (0.0, None))
    if match is None:
        return None
    return Length(max(1, round((1 - share if match["off"] else share) * words)), "words")


def wanted(steps: Iterable[tuple[str, Mapping[str, str]]], sentences: int, words: int) -> Length:
    """The length after a conversation about one text of so many sentences and words.

    A step is a message's instruction with its payload's options. What a step names stands by itself; "shorter" is half
    and "longer" twice the length before; "short" and "long" are so to the usual length.
    """
    length = usual(sentences)
    for instruction, options in steps:
        wish = options.get("length", "")
        if named := asked(instruction, words):
            length = named
        elif wish in _BEFORE and _RELATIVE.search(instruction):
            length = length.times(_BEFORE[wish])
        elif not asks_why(instruction, options):
            length = usual(sentences).times(_USUAL.get(wish, 1.0))
    return length


def asks_why(instruction: str, options: Mapping[str, str]) -> bool:
    """Whether the message wants the last answer explained. A later "shorter" carries that option along, too."""
    return "explain" in options and not _RELATIVE.search(instruction) and asked(instruction, 1) is None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else _NUMBERS[text]
