"""A sentence as words, and the edits that make it wrong and say how to put it right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from tokenizers.pre_tokenizers import BertPreTokenizer

from assistant.workshop import corruption_words as lists
from assistant.workshop.corruption_words import KEEP

_SPLITTER = BertPreTokenizer()
SHORT_FORMS = {"ll": "will", "ve": "have", "m": "am", "re": "are"}


class Word(NamedTuple):
    """A word as the base's pre-tokenizer makes it, the whitespace before it, and the edit that puts it right."""

    space: str
    text: str
    label: str = KEEP


class Edit(NamedTuple):
    """The clean words [start, stop) and the wrong ones that take their place, with their labels."""

    start: int
    stop: int
    words: tuple[Word, ...]

    @property
    def label(self) -> str:
        """The first label that asks for something."""
        return next(word.label for word in self.words if word.label != KEEP)


class Sentence:
    """A clean sentence as words; `low` are they in lower case, with an empty one on either side of the ends."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = tuple(words)
        self.low = tuple(word.text.lower() for word in words)

    def __getitem__(self, place: int) -> str:
        """The word in lower case, empty outside the sentence."""
        return self.low[place] if 0 <= place < len(self.low) else ""

    def contraction(self, place: int) -> tuple[str, int]:
        """The word with what an apostrophe joins to it ("don't"), in lower case, and where it stops."""
        stop = place + 1
        spaces = [word.space for word in self.words[stop : stop + 2]]
        if self[stop] == "'" and self[stop + 1].isalpha() and not any(spaces):
            stop += 2
        return "".join(self.low[place:stop]), stop

    def plain(self, place: int) -> bool:
        """Whether this is a word between spaces or a stop, no piece of a contraction or compound."""
        return (
            self[place].isalpha()
            and self[place + 1] not in ("'", "-", "’")
            and (place == 0 or bool(self.words[place].space))
            and (self[place + 1] in ("", ".", ",", "?", "!", ";", ":") or bool(self.words[place + 1].space))
        )

    def helper(self, place: int) -> str:
        """The auxiliary, subject or other word on which the word's form hangs: the one before it, past adverbs."""
        place -= 1
        while self[place] in lists.ADVERBS or self[place] == "not":
            place -= 1
        if self[place - 1] == "'" and self[place] == "t":  # don't, can't
            return self[place - 2].removesuffix("n") if self[place - 2] != "won" else "will"
        if self[place - 1] == "'":
            return SHORT_FORMS.get(self[place], "")
        return self[place]

    # --- edits -----------------------------------------------------------------------------------------------

    def replaced(self, start: int, stop: int, wrong: str, label: str) -> Edit:
        """Other words in the place of these; the first one carries the label."""
        first, *others = split(wrong)
        text = cased(first.text, self.words[start].text)
        return Edit(start, stop, (Word(self.words[start].space, text, label), *others))

    def left_out(self, place: int) -> Edit | None:
        """Without this word; the one before it asks for it, or the one after it at the sentence's start."""
        word = self[place]
        if place == 0 and self.plain(1):
            text = cased(self.words[1].text, self.words[0].text)
            return Edit(0, 2, (Word(self.words[0].space, text, f"PREPEND_{word}"),))
        if place > 0 and self.words[place].space and self.words[place - 1].text.isalnum():
            before = self.words[place - 1]
            return Edit(place - 1, place + 1, (Word(before.space, before.text, f"APPEND_{word}"),))
        return None

    def added(self, place: int, word: str) -> Edit:
        """With a word too much after this one."""
        return Edit(place, place + 1, (self.words[place], Word(" ", word, "DELETE")))

    def swapped(self, place: int) -> Edit:
        """With this word and the next in the wrong order."""
        one, two = self.words[place : place + 2]
        return Edit(place, place + 2, (Word(one.space, two.text, "SWAP_NEXT"), Word(two.space, one.text)))


@cache
def split(text: str) -> tuple[Word, ...]:
    """The words of a text, as the base's pre-tokenizer makes them."""
    words, done = [], 0
    for word, (start, end) in _SPLITTER.pre_tokenize_str(text):
        words.append(Word(text[done:start], word))
        done = end
    return tuple(words)


def cased(word: str, like: str) -> str:
    """The word with a capital where the other has one."""
    return word[:1].upper() + word[1:] if like[:1].isupper() else word
