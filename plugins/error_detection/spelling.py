"""Spelling by a dictionary: which words are none, and what was meant.

The words and their frequencies come with pyspellchecker (MIT). It was chosen over symspellpy (MIT, too): it has twice
as many words, starts in a fifth of the time and in half the memory, and compiles nothing. What it lacks is speed at two
letters' distance, so those candidates are looked up here: a misspelling nearly always keeps its first letter (Pollock
& Zamora 1984, "Automatic spelling correction in scientific and scholarly text").
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache, cached_property

from assistant.inflection import inflect, kinds, lemmas

# Written without apostrophe or space, and never another word.
FIXED = {
    "dont": "don't",
    "doesnt": "doesn't",
    "didnt": "didn't",
    "isnt": "isn't",
    "arent": "aren't",
    "wasnt": "wasn't",
    "werent": "weren't",
    "havent": "haven't",
    "hasnt": "hasn't",
    "hadnt": "hadn't",
    "cant": "can't",
    "couldnt": "couldn't",
    "wouldnt": "wouldn't",
    "shouldnt": "shouldn't",
    "wont": "won't",
    "im": "I'm",
    "ive": "I've",
    "youre": "you're",
    "youve": "you've",
    "youll": "you'll",
    "theyre": "they're",
    "theyve": "they've",
    "theyll": "they'll",
    "weve": "we've",
    "thats": "that's",
    "whats": "what's",
    "theres": "there's",
    "alot": "a lot",
    "aswell": "as well",
    "infront": "in front",
    "eachother": "each other",
    "noone": "no one",
    "atleast": "at least",
    "everytime": "every time",
    "ofcourse": "of course",
    "infact": "in fact",
    "incase": "in case",
    "thankyou": "thank you",
    "teh": "the",
    "thier": "their",
}
# Words younger than the dictionary, and those of chats.
YOUNG = frozenset(
    "app apps api apis backend blockchain blogger chatbot chatbots covid crypto emoji emojis frontend hashtag hashtags "  # noqa: SIM905
    "http https json login logins lol lmao meme memes omg online podcast podcasts screenshot screenshots selfie "
    "selfies smartphone smartphones smartwatch startup startups streaming tweet tweets username usernames webinar "
    "webinars wiki website websites wifi yaml ok btw imo fyi asap haha hahaha yeah yep nope gonna wanna gotta kinda "
    "fav touchscreen livestream unfollow vlog vegan".split()
)
# A candidate is clear when it is so many times as likely as the next one.
CLEAR = 3
# A word is frequent that occurs as often in the 1.6 billion words that the dictionary was counted in.
FREQUENT = 1000
# Of the shortest word that is corrected, in letters.
SHORTEST = 4
_LETTERS = re.compile(r"[a-z]+")


class Dictionary:
    """English words with their frequencies. Reading it takes about 0.3 s and 40 MB."""

    def __init__(self) -> None:
        from spellchecker import SpellChecker

        self._checker = SpellChecker(language="en", distance=1)
        self._frequency: dict[str, int] = self._checker.word_frequency.dictionary

    def knows(self, word: str) -> bool:
        """Whether a word is right as it stands; case does not count. British spellings are right."""
        low = word.lower()
        return low in self._frequency or low in YOUNG or (low not in FIXED and kinds(low))

    def corrected(self, word: str) -> str | None:
        """What was meant by a misspelt word, in lower case; None when there is no telling."""
        low = word.lower()
        if low in FIXED:
            return FIXED[low]
        if self.knows(low) or not _LETTERS.fullmatch(low) or len(low) < 3:
            return None
        return irregular(low) or next(iter(self._candidates(low)), None)

    def certain(self, word: str) -> str | None:
        """What was meant, if that is clear without reading the sentence: one frequent word is one slip away."""
        low = word.lower()
        if low in FIXED:
            return FIXED[low]
        if self.knows(low) or len(low) < SHORTEST or not _LETTERS.fullmatch(low):
            return None
        if form := irregular(low):
            return form
        near = self._near(low)
        if not near or near[0][0] != low[0]:
            return None
        clear = len(near) == 1 or self._likely(low, near[0]) >= CLEAR * self._likely(low, near[1])
        return near[0] if clear and self._frequency[near[0]] >= FREQUENT else None

    def _near(self, word: str) -> list[str]:
        """Known words one edit away, the most likely first: those of swapped or doubled letters, then by frequency."""
        found = self._checker.known(self._checker.edit_distance_1(word))
        return sorted(found, key=lambda other: (-self._likely(word, other), other))

    def _likely(self, word: str, other: str) -> float:
        same_letters = sorted(word) == sorted(other) or set(word) == set(other)
        return self._frequency[other] * (20 if same_letters else 1) * (1 if word[0] == other[0] else 0.05)

    def _candidates(self, word: str) -> list[str]:
        near = self._near(word)
        # Two edits away, a short word could be anything.
        return near or (self._far(word) if len(word) > SHORTEST else [])

    def _far(self, word: str) -> list[str]:
        """Known words two edits away that begin alike, most frequent first."""
        letters = _letters(word)
        found = [
            other
            for length in range(len(word) - 2, len(word) + 3)
            for other, mask in self._index.get((word[0], length), ())
            if (letters ^ mask).bit_count() <= 4 and _distance(word, other) == 2
        ]
        return sorted(found, key=lambda other: (-self._frequency[other], other))

    @cached_property
    def _index(self) -> dict[tuple[str, int], list[tuple[str, int]]]:
        """The words by first letter and length, each with the set of its letters as a bit mask."""
        index = defaultdict(list)
        for word in self._frequency:
            if _LETTERS.fullmatch(word) and self._frequency[word] >= 100:
                index[word[0], len(word)].append((word, _letters(word)))
        return index


@cache
def dictionary() -> Dictionary:
    """The one dictionary, read when it is first needed."""
    return Dictionary()


def irregular(word: str) -> str | None:
    """The right form of an irregular verb or noun that is inflected like a regular one: "buyed", "childs"."""
    regular, kind, tag = ("ed", "VERB", "VBD") if word.endswith("ed") else ("s", "NOUN", "NNS")
    if not word.endswith(regular) or len(word) < SHORTEST:
        return None
    stem = word.removesuffix(regular)
    for lemma in (stem, stem + "e", stem[:-1]):
        if lemma in lemmas(lemma, kind) and not (form := inflect(lemma, tag)).endswith(regular):
            return form
    return None


def _letters(word: str) -> int:
    return sum(1 << bit for bit in {ord(letter) - ord("a") for letter in word})


def _distance(one: str, other: str) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours between two words (Damerau 1964)."""
    rows: list[list[int]] = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
