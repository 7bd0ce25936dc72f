"""From a tagger's labels to corrections: what each label asks for, and which of them are believed.

The labels are edits of words as in GECToR (Omelianchuk et al. 2020, arXiv 2005.12592). The base's vocabulary knows no
capitals, so capitals are put right by rule; and a word that the tagger takes for misspelt is left alone unless the
dictionary agrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from assistant_plugins.error_detection.articles import articles, fitting
from assistant_plugins.error_detection.edits import GRAMMAR, PUNCTUATION, SPELLING, WORD_CHOICE, Edit, apart
from assistant_plugins.error_detection.inflection import transformed
from assistant_plugins.error_detection.phrases import phrases
from assistant_plugins.error_detection.spelling import FIXED, dictionary

if TYPE_CHECKING:
    from assistant.engine.base import Tag

# Marks in here are believed by nobody: addresses, names of people and tags, code, paths, figures, words in capitals
# or with a capital inside. What may begin with anything is tried at the beginning of a word only: linear time.
_PROTECTED = re.compile(
    r"`[^`]*`|https?://\S+|www\.\S+|(?<!\S)(?:\S+@\S+|\S*[\w)]\.(?:com|org|net|io|py|js|txt|pdf|html)\b\S*"
    r"|\S*[/\\_=<>{}|~^]\S*|\S+\(\))|[@#]\w+|\b\w*\d\w*|\b[A-Z]{2,}\b|\b\w*[a-z][A-Z]\w*"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ENGLISH = frozenset(
    "the and is are was were be been to of in on at for with from that this it he she they we you i my your his her "  # noqa: SIM905
    "their our not but or if so have has had do does did will would can could an what when where who how there".split()
)
_GRAMMATICAL = frozenset(
    "a an the am is are was were be been have has had do does did i he she we they me him her us them my your his our "  # noqa: SIM905
    "their mine ours this these that those in on at to of for from with by about into during while since until between "
    "among isn't aren't wasn't weren't hasn't haven't doesn't don't who which much many any some".split()
)
_STOPS = (".", "?", ",")
# Above this probability of being right, a word that the dictionary lacks is one that it should have.
_VETO = 0.97


def corrections(sentence: str, tags: Sequence[Tag], threshold: float) -> list[Edit]:
    """What to change in one sentence, in order; nothing for one that is not English.

    `tags` are the sentence's words with their labels; a label counts from the probability `threshold` on.
    """
    if is_foreign(sentence):
        return []
    protected = [match.span() for match in _PROTECTED.finditer(sentence)]
    ruled = [*phrases(sentence), *articles(sentence)]
    found = [
        *_by_tags(sentence, [tag for tag in tags if tag.probability >= threshold]),
        *_by_dictionary(sentence, {tag.start: tag for tag in tags}),
        *_capitals(sentence),
    ]

    def changes(edit: Edit) -> bool:
        return edit.replacement != sentence[edit.start : edit.end] and not any(
            start < edit.end and edit.start < end for start, end in protected
        )

    # What a rule knows goes before what the tagger has learnt.
    return apart(filter(changes, ruled), filter(changes, found))


def is_foreign(sentence: str) -> bool:
    """Whether a sentence is in another language than English, or in none: few of its words are English ones."""
    words = [word for word in _WORD.findall(sentence) if not word[0].isupper() or word == "I"]
    plain = [word.lower().partition("'")[0] for word in words]
    common = sum(word in _ENGLISH or word in FIXED for word in plain)
    lacking = [word for word in plain if word not in FIXED and not dictionary().knows(word)]
    if len(words) < 3:
        return not common and len(lacking) == len(words) and not all(word.isascii() for word in words)
    if common * 7 < len(words):
        return len(lacking) * 5 >= len(words)
    # Among English words, one that is a slip away from another may be a slip.
    return sum(dictionary().certain(word) is None for word in lacking) * 5 > 2 * len(words)


def _by_tags(sentence: str, tags: Sequence[Tag]) -> Iterator[Edit]:
    for tag in tags:
        made = change(sentence, tag)
        if made:
            start, end, replacement = made
            yield Edit(start, end, _kind(sentence, tag), replacement, tag.probability)


def change(sentence: str, tag: Tag) -> tuple[int, int, str] | None:
    """(start, end, replacement) of what the label asks for; None where it makes no sense."""
    start, end = tag.start, tag.end
    word = sentence[start:end]
    action, _, argument = tag.label.partition("_")
    joined = _joined(sentence, start, end)
    following = re.compile(r"\s+(\w+)").match(sentence, end)
    match action:
        case "DELETE":
            return _deletion(sentence, start, end)
        case "SPELL":
            meant = None if _is_name(sentence, start, word) or joined != end else dictionary().corrected(word)
            return (start, end, _cased(meant, word)) if meant else None
        case "REPLACE" if argument in _STOPS:
            return (start, end, argument) if word in _STOPS else None
        case "REPLACE":
            if not word.isalpha() or sentence[start - 1 : start] in ("'", "’"):
                return None
            whole = sentence[start:joined]
            return (start, joined, _cased(argument, whole)) if whole.lower() != argument else None
        case "APPEND" if argument in _STOPS:
            ended = re.match(r"\s*[.,;:!?…]", sentence[end:])
            return (start, end, word + argument) if word.isalnum() and not ended else None
        case "APPEND":
            return (start, end, f"{word} {fitting(argument, sentence[end:])}") if word.isalnum() else None
        case "PREPEND":
            lowered = (
                word[:1].lower() + word[1:] if word != "I" and not _is_name(sentence, start, word) else word
            )
            return start, end, f"{_cased(fitting(argument, word), word)} {lowered}"
        case "TRANSFORM" if joined == end and word.isalpha() and not _is_name(sentence, start, word):
            form = transformed(word.lower(), argument)
            return (start, end, _cased(form, word)) if form else None
        case "APOSTROPHE" if word[-1:] == "s" and len(word) > 2:
            return start, end, f"{word[:-1]}'s"
        case "HYPHEN" if following:
            return start, following.end(), f"{word}-{following[1]}"
        case "MERGE" if following:
            whole = word + following[1]
            meant = whole if dictionary().knows(whole) else dictionary().corrected(whole)
            return (start, following.end(), _cased(meant, word)) if meant else None
        case "SWAP" if following:
            one, two = (following[1], word) if word == "I" else (following[1], _cased(word, following[1]))
            if word[:1].isupper() and word != "I":
                one, two = one[:1].upper() + one[1:], word[:1].lower() + word[1:]
            return start, following.end(), f"{one}{sentence[end : following.start(1)]}{two}"
    return None


def _by_dictionary(sentence: str, tags: dict[int, Tag]) -> Iterator[Edit]:
    """Words that are misspelt for certain, unless the tagger is sure that the word is right."""
    for match in _WORD.finditer(sentence):
        word, tag = match[0], tags.get(match.start())
        fixed = word.lower() in FIXED and not word.isupper()
        sure = tag is not None and tag.label == "KEEP" and tag.probability >= _VETO
        if fixed or (not sure and not _is_name(sentence, match.start(), word)):
            meant = dictionary().certain(word)
            if meant:
                yield Edit(*match.span(), SPELLING, _cased(meant, word), 1.0 if fixed else 0.9)


def _capitals(sentence: str) -> Iterator[Edit]:
    """A capital at the start of a finished sentence, and for "I"."""
    first = _WORD.search(sentence)
    stripped = sentence.lstrip(" \t\"'“‘")
    finished = sentence.rstrip(" \t\"'”’)").endswith((".", "?", "!"))
    if finished and first and first[0].islower() and stripped.startswith(first[0]):
        yield Edit(*first.span(), SPELLING, first[0][:1].upper() + first[0][1:], 0.5)
    for match in re.finditer(r"(?<![\w'’.-])i(?=['’][a-z]|\s|[,;?!]|$)(?!\.)", sentence):
        yield Edit(match.start(), match.end(), SPELLING, "I", 0.6)


def _kind(sentence: str, tag: Tag) -> str:
    action, _, argument = tag.label.partition("_")
    word = sentence[tag.start : tag.end]
    whole = sentence[tag.start : _joined(sentence, tag.start, tag.end)].lower()
    if action in ("SPELL", "MERGE"):
        return SPELLING
    if action in ("HYPHEN", "APOSTROPHE") or argument in _STOPS or not word.isalnum():
        return PUNCTUATION
    if action == "REPLACE" and not {argument, whole} <= _GRAMMATICAL:
        return WORD_CHOICE
    return GRAMMAR


def _joined(sentence: str, start: int, end: int) -> int:
    """Where the word stops, with what an apostrophe joins to it."""
    match = _WORD.match(sentence, start)
    return match.end() if match and match.end() > end else end


def _deletion(sentence: str, start: int, end: int) -> tuple[int, int, str]:
    """A word goes with the whitespace before it; the first one with that after it, and hands on its capital."""
    before = len(sentence[:start].rstrip())
    if before:
        return before, end, ""
    after = re.compile(r"\s*(\w?)").match(sentence, end)
    if after is None or not after[1]:
        return start, end, ""
    return start, after.end(), after[1].upper() if sentence[start].isupper() else after[1]


def _cased(word: str, like: str) -> str:
    """The word with a capital where the other begins with one. "I" is always one."""
    if word == "i":
        return "I"
    if len(like) > 1 and like.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() and like != "I" else word


def _is_name(sentence: str, start: int, word: str) -> bool:
    """Whether a capital makes the word a name: one within the sentence, or on a first word that no dictionary has and
    that nothing near it explains."""
    if not word[:1].isupper():
        return False
    first = _WORD.search(sentence)
    inside = first is not None and start > first.start()
    return inside or (not dictionary().knows(word) and dictionary().certain(word) is None)
