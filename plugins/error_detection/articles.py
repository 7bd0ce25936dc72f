"""The article that a word asks for: "a" or "an", by the sound that it begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant_plugins.error_detection.edits import GRAMMAR, Edit

# Letters whose names begin with a vowel: "an X-ray".
_VOWEL_LETTERS = "AEFHILMNORSX"
# Written like vowels, spoken with a consonant ("you" or "w") in front.
_CONSONANT = re.compile(
    r"uni(?:$|[cfoqstv]|l(?!l)|dir)|us[aeu]|ut(?:e[nr]|il|op)|ur(?:a|in|o|e[at]|u)|ubiqui|ukr|ukulele|ugand|unanim"
    r"|ewe|eu|on(?:e|ce)(?:$|ness|time|way)|ouija",
    re.IGNORECASE,
)
_SILENT_H = re.compile(r"hour|honest|honou?r|heir", re.IGNORECASE)
# Where speakers differ, or letters do not tell: "an historic", "an herb", "a yttrium", "a Uzbek"; and no nouns.
_UNSURE = re.compile(
    r"h(?:istor|yster|abit|otel|ero|eredit|armon|omage|erb|allucin|ilar|umble|yp)|uz|ui|y[^aeiou]|ululat|[aeou]h$|u[mnt]$",
    re.IGNORECASE,
)
# Read out letter by letter, although they could be spoken as words ("NASA", "RAM").
_SPELT = frozenset({"HIV", "HR", "LED", "LP", "MA", "MEP", "MIT", "MOT", "MOU", "RAF", "ROI", "SOS", "SUV"})
# What an English word can begin with: a vowel in the first two letters, or a blend.
_SPEAKABLE = re.compile(r".[AEIOU]|S[CHKLMNPQTW]\w*[AEIOUY]|F[LR]|RH|[HMNR]Y", re.IGNORECASE)
# After one of these an "a" is no article, or something else is wrong than the article.
_NO_NOUN = frozenset(
    "a an the and or but nor if as at am are is was were be been in into it its i'm i on of to for from with by he she "  # noqa: SIM905
    "we they you us our out up off over under until unless not that this these those his her my your their there "
    "has have had do does did can could will would e el en al o un una us la le les um em ao os".split()
)
# Not "plan A or B", nor an address, which is read in a way of its own.
_ARTICLE = re.compile(
    r"(?<![\w'’.&/+-])(?P<article>an?|(?<![^\W_][ ,])A[nN]?)\s+(?P<word>\d[\d,.]*\w*|[^\W\d_]+(?![^\W\d_]|\.\w))"
    r"(?P<rest>['’-]?)"
)


def asked_by(word: str) -> str | None:
    """The article that the word, or a number in figures, asks for; None where that is not sure."""
    if word[:1].isdigit():
        digits = re.sub(r"\D.*", "", word.replace(",", ""))
        # 1800 may be "eighteen hundred" or "one thousand eight hundred".
        if re.fullmatch(r"1[18]\d\d", digits):
            return None
        return "an" if re.fullmatch(r"8\d*|1[18](?:\d{3})*", digits) else "a"
    if not word.isascii() or not word.isalpha():
        return None
    if len(word) == 1 or word[:2].isupper():
        return _asked_by_letters(word)
    if _UNSURE.match(word):
        return None
    if _SILENT_H.match(word):
        return "an"
    if _CONSONANT.match(word):
        known = re.match(r"Euro|Eura|Un|Us|Uk|Ug|Uru|Ura|One|Once|Ut", word)
        return "a" if word[0].islower() or known else None
    if word[0] == "U" and len(word) > 1 and not re.match(r"U(?:[lmnp]|rb|gl)", word):
        return None
    return "an" if word[0].lower() in "aeiou" else "a"


def articles(sentence: str) -> Iterator[Edit]:
    """An "a" or "an" that the next word does not go with."""
    for match in _ARTICLE.finditer(sentence):
        article, word = match["article"], match["word"]
        # A lower-case letter alone is a sign or a slip, unless it begins "x-ray" or "e-mail".
        if word.isalpha() and len(word) == 1 and match["rest"] != "-" and word not in "FHLMNRSX":
            continue
        asked = None if word.lower() in _NO_NOUN and not word[:2].isupper() else asked_by(word)
        if asked and asked != article.lower():
            fitting = asked.capitalize() if article[0].isupper() else asked
            yield Edit(match.start("article"), match.end("article"), GRAMMAR, fitting, 0.9)


def fitting(article: str, following: str) -> str:
    """The article that the next word asks for, "a" or "an"; any other word as it is."""
    if article not in ("a", "an"):
        return "I" if article == "i" else article
    word = re.match(r"\s*(\d[\d,.]*\w*|[^\W\d_]+)", following)
    return (asked_by(word[1]) if word else None) or "a"


def _asked_by_letters(word: str) -> str | None:
    """By the name of the first letter of "FBI", "MP" or "X"; None for what may be spoken as a word ("NASA")."""
    first = word[0].upper()
    if first in "AEIO":
        return "an"
    if first not in _VOWEL_LETTERS:
        return "a"
    return "an" if word in _SPELT or not _SPEAKABLE.match(word) else None
