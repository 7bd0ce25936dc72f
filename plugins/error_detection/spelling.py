"""Spelling by a dictionary: which words are none, and what was meant.

The words and their frequencies come with pyspellchecker (MIT). It was chosen over symspellpy (MIT, too): it has twice
as many words, starts in a fifth of the time and in half the memory. What was meant is the likeliest word by a noisy
channel (Kernighan, Church & Gale 1990, "A spelling correction program based on a noisy channel model"): how frequent
it is, and how easily it is written in that way.
"""

from __future__ import annotations

import math
import re
from functools import cache, cached_property, lru_cache
from itertools import product

from rapidfuzz import process
from rapidfuzz.distance import OSA

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
# A candidate is clear that is so much likelier than the next one, a difference of logarithms.
CLEAR = 1.5
# A word is frequent that occurs as often in the 1.6 billion words that the dictionary was counted in; a rarer one than
# RARE is never what was meant.
FREQUENT, RARE = 1000, 50
# In letters: the shortest word that is corrected by the dictionary alone, and one in which three slips are looked for.
SHORTEST, LONG = 4, 8
SURE = 7  # of so many letters, a rare word is seldom a slip away from a frequent one
# How likely a slip is, logarithms: counted in 20,000 pairs of the list of misspellings that the tagger learns from, by
# the places where such a slip is possible. "Near" are consonants that sound alike or lie side by side on a keyboard.
LEFT_OUT_DOUBLE, LEFT_OUT_VOWEL, LEFT_OUT = -4.3, -4.9, -5.1
ADDED_DOUBLE, ADDED_VOWEL, ADDED = -6.4, -8.0, -9.2
VOWEL_FOR_VOWEL, NEAR_FOR_NEAR, LETTER_FOR_LETTER = -6.7, -7.0, -9.1
SWAPPED = -5.7
LIKELY = -7.5  # one slip, of the likely ones
EASY = -11.0  # any one slip, or two of the likely ones
FARTHEST = -20.0  # beyond, the word is another one
FIRST = -1.9  # on top, where the first letter is another
VOWELS = frozenset("aeiouy")
REMEMBERED = 4096  # misspelt words
NEAR = frozenset(
    map(frozenset, ("cs", "ck", "sz", "dt", "mn", "bp", "fv", "gj", "cx", "kq", "rt", "lr", "vw"))
)
_BRITISH = [
    (re.compile(british), american)
    for british, american in (
        (r"our", "or"), (r"re(s?)$", r"er\1"), (r"tr(ed|ing)$", r"ter\1"), (r"ys(e[drs]?|ing)$", r"yz\1"),
        (r"is(e[drs]?|ers|ing|ations?|able)$", r"iz\1"), (r"[ao]e", "e"), (r"ogue", "og"), (r"ence(s?)$", r"ense\1"),
        (r"ll(ed|ing|ers?|ors?|ous|ously|en)$", r"l\1"), (r"l(ments?|ful|fully)$", r"ll\1"), (r"^sc", "sk"),
        (r"ph", "f"), (r"^pyj", "paj"), (r"artef", "artif"), (r"mme(s?)$", r"m\1"), (r"draught", "draft"),
    )
]  # fmt: skip
# A longer "word" is none.
_LETTERS = re.compile(r"[a-z]{1,40}")


class Dictionary:
    """English words with their frequencies. Reading it takes about 0.3 s and 40 MB."""

    def __init__(self) -> None:
        from spellchecker import SpellChecker

        self._frequency: dict[str, int] = SpellChecker(language="en").word_frequency.dictionary
        self._candidates = lru_cache(REMEMBERED)(self._likeliest)

    def knows(self, word: str) -> bool:
        """Whether a word is right as it stands; case does not count. British spellings are right."""
        low = word.lower()
        if low in self._frequency or low in YOUNG:
            return True
        return low not in FIXED and bool(kinds(low)) and not self._is_doubtful(low)

    def _is_doubtful(self, word: str) -> bool:
        """Whether a word that is in the dictionary of inflections alone is rather another one misspelt: that one has
        "occured" and "surprized", too. It also has the British spellings, which are right."""
        if len(word) < SURE or not _LETTERS.fullmatch(word):
            return False
        if any(pattern.sub(american, word) in self._frequency for pattern, american in _BRITISH):
            return False
        near = self._candidates(word)
        return bool(near) and self._frequency[near[0][1]] >= FREQUENT and slipped(word, near[0][1]) >= LIKELY

    def corrected(self, word: str) -> str | None:
        """What was meant by a misspelt word, in lower case; None when there is no telling."""
        low = word.lower()
        if low in FIXED:
            return FIXED[low]
        if self.knows(low) or not _LETTERS.fullmatch(low) or len(low) < 3:
            return None
        return irregular(low) or next((other for _, other in self._candidates(low)), None)

    def certain(self, word: str) -> str | None:
        """What was meant, if that is clear without reading the sentence: one frequent word, easily written so."""
        low = word.lower()
        if low in FIXED:
            return FIXED[low]
        if self.knows(low) or len(low) < SHORTEST or not _LETTERS.fullmatch(low):
            return None
        if form := irregular(low):
            return form
        near = self._candidates(low)
        if not near or near[0][1][0] != low[0] or slipped(low, near[0][1]) < EASY:
            return None
        clear = len(near) == 1 or near[0][0] - near[1][0] >= CLEAR
        return near[0][1] if clear and self._frequency[near[0][1]] >= FREQUENT else None

    def _likeliest(self, word: str) -> list[tuple[float, str]]:
        """The two likeliest words to have been meant, each with how likely (a logarithm): a noisy channel."""
        found = process.extract(
            word, self._words, scorer=OSA.distance, score_cutoff=_most_slips(word), limit=None
        )
        # As likely as it could be at its number of slips; beyond the second best, no other has to be looked at closely.
        bounds = [(math.log(self._frequency[other]) + LEFT_OUT_DOUBLE * n, other) for other, n, _ in found]
        best: list[tuple[float, str]] = []
        for bound, other in sorted(bounds, reverse=True):
            if len(best) == 2 and bound < best[1][0]:
                break
            slips = slipped(word, other)
            if slips >= FARTHEST:
                best = sorted([*best, (math.log(self._frequency[other]) + slips, other)], reverse=True)[:2]
        return best

    @cached_property
    def _words(self) -> list[str]:
        """The words that are common enough to be meant."""
        return [word for word, count in self._frequency.items() if count >= RARE and _LETTERS.fullmatch(word)]


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


def slipped(wrong: str, right: str) -> float:
    """How likely it is that one word is written for another, a logarithm: that of the likeliest row of slips."""
    best = {(0, 0): 0.0 if wrong[0] == right[0] else FIRST}
    for i, j in product(range(len(wrong) + 1), range(len(right) + 1)):
        ways = []
        if i:
            ways.append(best[i - 1, j] + _added(wrong, i - 1))
        if j:
            ways.append(best[i, j - 1] + _left_out(right, j - 1))
        if i and j:
            ways.append(best[i - 1, j - 1] + _taken_for(wrong[i - 1], right[j - 1]))
        if i > 1 and j > 1 and wrong[i - 2 : i] == right[j - 1] + right[j - 2]:
            ways.append(best[i - 2, j - 2] + SWAPPED)
        best.setdefault((i, j), max(ways, default=0.0))
    return best[len(wrong), len(right)]


def _added(word: str, place: int) -> float:
    if word[place] in word[max(0, place - 1) : place] + word[place + 1 : place + 2]:
        return ADDED_DOUBLE
    return ADDED_VOWEL if word[place] in VOWELS else ADDED


def _left_out(word: str, place: int) -> float:
    if word[place] in word[max(0, place - 1) : place] + word[place + 1 : place + 2]:
        return LEFT_OUT_DOUBLE
    return LEFT_OUT_VOWEL if word[place] in VOWELS else LEFT_OUT


def _taken_for(wrong: str, right: str) -> float:
    if wrong == right:
        return 0.0
    if wrong in VOWELS and right in VOWELS:
        return VOWEL_FOR_VOWEL
    return NEAR_FOR_NEAR if {wrong, right} in NEAR else LETTER_FOR_LETTER


def _most_slips(word: str) -> int:
    """In a short word, more of them could have come of anything."""
    return 1 if len(word) < SHORTEST else 2 if len(word) < LONG else 3
