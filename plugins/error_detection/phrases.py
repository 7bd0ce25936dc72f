"""Mistakes that a pattern finds for certain: rules as data, in the manner of LanguageTool (Naber 2003, "A rule-based
style and grammar checker").

They lie in `phrases.yaml`. A tagger learns best what its data hold often; that "depend of" is never right can be told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from assistant_plugins.error_detection.edits import KINDS, Edit
from assistant_plugins.error_detection.inflection import transformed
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import DataError
from assistant.inflection import VERB_FORMS, inflect, kinds, lemmas

RULES = Path(__file__).with_name("phrases.yaml")
# How surely a rule is right; each was narrowed until it marked next to nothing in clean sentences.
PROBABILITY = 0.9


def _is_base(word: str) -> bool:
    return word in lemmas(word, "VERB")


def _is_past(word: str) -> bool:
    return not _is_base(word) and any(inflect(lemma, "VBD") == word for lemma in lemmas(word, "VERB"))


def _is_went(word: str) -> bool:
    """Of an irregular verb the past that is not its participle, too."""
    participles = {"got", "lit", "spat"}  # the dictionary gives the other participle only: "gotten"
    return (
        _is_past(word)
        and not word.endswith("ed")
        and word not in participles
        and all(lemma != "be" and inflect(lemma, "VBN") != word for lemma in lemmas(word, "VERB"))
    )


def _is_plural(word: str) -> bool:
    return kinds(word) == {"NOUN"} and any(
        word == inflect(each, "NNS") != each for each in lemmas(word, "NOUN")
    )


# What a word in angle brackets may be, beside the lists of the file: it is looked up in the dictionary of forms.
CLASSES: dict[str, Callable[[str], bool]] = {
    "verb": _is_base,
    # A base form that is nothing but that: not the past "put" or "found", nor the noun "talk".
    "onlyverb": lambda w: lemmas(w, "VERB") == (w,) and kinds(w) == {"VERB"} and inflect(w, "VBD") != w,
    "verb-s": lambda w: not _is_base(w) and any(inflect(each, "VBZ") == w for each in lemmas(w, "VERB")),
    "verb-past": _is_past,
    "verb-went": _is_went,
    "verb-ing": lambda w: not _is_base(w) and any(inflect(each, "VBG") == w for each in lemmas(w, "VERB")),
    "plural": _is_plural,
    # It may be a verb, too: "reasons".
    "plural-form": lambda w: any(w == inflect(each, "NNS") != each for each in lemmas(w, "NOUN")),
    "singular": lambda w: (
        "NOUN" in kinds(w) and "ADJ" not in kinds(w) and w in lemmas(w, "NOUN") and inflect(w, "NNS") != w
    ),
    "noun": lambda w: "NOUN" in kinds(w),
    "adjective": lambda w: "ADJ" in kinds(w) and w in lemmas(w, "ADJ"),
    "comparative": lambda w: any(inflect(each, "JJR") == w != each for each in lemmas(w, "ADJ")),
    "superlative": lambda w: any(inflect(each, "JJS") == w != each for each in lemmas(w, "ADJ")),
}
# What may be done to a group in a replacement, beside the forms of `inflection.transformed`.
CHANGES: dict[str, Callable[[str], str | None]] = {
    "CAPITALS": lambda text: re.sub(r"\b[a-z]", lambda letter: letter[0].upper(), text),
    "LOWER": lambda text: text if re.match(r"I\b", text) else text[:1].lower() + text[1:],
    "COMPARATIVE": lambda text: inflect(text.lower(), "JJR"),
}
_FORMS = frozenset({None, "PLURAL", "SINGULAR", *(f"VERB_{form}" for form in VERB_FORMS), *CHANGES})
_NAME = re.compile(r"<([a-z|-]+)>")
# What a rule may write shorter, as patterns and what `re.sub` puts there, in this order: an apostrophe, the start of a
# sentence that may be quoted, white space that may be missing, and white space.
_SHORT = {"'": "['’]", r"(?<!\[)\^": "(?:^|(?<=[\"“‘']))", r" \?": r"\\s*", " ": r"\\s+"}
_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")


class Rule(BaseModel):
    """One kind of mistake.

    `find` is a regular expression in which `^` is the start of a sentence, a space any white space, and each `<name>`
    a group: a word of that list or class (`<one|other>`: of either). In `put`, `{1}` is the first group, `{1:VERB_ING}`
    that word in another form, and `{make:1}` the verb "make" in the form that the first group has. `wrong` and `right`
    are an example; sentences that are `fine` look like the mistake.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    find: str = Field(min_length=1)
    put: str = Field(min_length=1)
    wrong: str
    right: str
    fine: tuple[str, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    words: dict[str, str]
    rules: dict[str, tuple[Rule, ...]]


@dataclass(frozen=True)
class Phrase:
    """A rule that is ready for use."""

    rule: Rule
    kind: str
    pattern: re.Pattern[str]
    # The groups whose words are looked up, with the classes that they may be of.
    classes: dict[str, tuple[str, ...]]

    def edits(self, sentence: str) -> Iterator[Edit]:
        """What the rule changes in a sentence, without the words that stay as they are."""
        for match in self.pattern.finditer(sentence):
            replacement = self._replacement(match) if self._fits(match) else None
            if replacement and replacement.split() != match[0].split():
                start, end, new = _shortest(match[0], replacement)
                yield Edit(match.start() + start, match.start() + end, self.kind, new, PROBABILITY)

    def _fits(self, match: re.Match[str]) -> bool:
        """Whether the dictionary knows each word as one of its classes. A capital within the sentence makes a name."""
        return all(
            any(CLASSES[name](word.lower()) for name in names) and (word.islower() or not match.start(group))
            for group, names in self.classes.items()
            if (word := match[group])
        )

    def _replacement(self, match: re.Match[str]) -> str | None:
        """What takes the match's place; None where a word has no such form."""
        plain, *rest = _PLACE.split(self.rule.put)
        pieces = [plain]
        for name, change, text in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
            piece = _changed(match, name, change)
            if piece is None:
                return None
            pieces += [piece, text]
        whole = " ".join("".join(pieces).split())
        return whole[:1].upper() + whole[1:] if match[0][0].isupper() else whole


def phrases(sentence: str) -> Iterator[Edit]:
    """What the rules change in a sentence; edits of two rules may overlap."""
    for phrase in load(RULES):
        yield from phrase.edits(sentence)


@cache
def load(path: Path) -> tuple[Phrase, ...]:
    """The rules of a file. Raises DataError, which names the rule and what is wrong with it."""
    try:
        content = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"{path.name}: {where}: {first['msg']} (it is {first['input']!r:.60}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} is no YAML: {str(error).splitlines()[0]}.") from None
    try:
        if both := content.words.keys() & CLASSES.keys():
            raise ValueError(f"words has {min(both)!r}, which is a class")
        return tuple(
            _ready(rule, kind, content.words) for kind, rules in content.rules.items() for rule in rules
        )
    except ValueError as error:
        raise DataError(f"{path.name}: {error}.") from None


def _ready(rule: Rule, kind: str, words: dict[str, str]) -> Phrase:
    """Raises ValueError for a rule that could not work."""
    if kind not in KINDS:
        raise ValueError(f"rules has {kind!r}; expected one of {', '.join(KINDS)}")
    classes: dict[str, tuple[str, ...]] = {}

    def group(name: re.Match[str]) -> str:
        names = tuple(name[1].split("|"))
        if not set(names) <= CLASSES.keys():
            return f"({'|'.join(words[each] for each in names)})"
        key = f"word{len(classes)}"
        classes[key] = names
        return f"(?P<{key}>[a-z]+)"

    try:
        expression = _NAME.sub(group, rule.find)
        for short, long in _SHORT.items():
            expression = re.sub(short, long, expression)
        pattern = re.compile(rf"(?<![\w-])(?<!\w['’])(?:{expression})(?![\w-])(?!['’]\w)", re.IGNORECASE)
    except KeyError as error:
        known = "neither a list nor a class, or mixed with one"
        raise ValueError(f"{rule.find!r} has <{error.args[0]}>, which is {known}") from None
    except re.error as error:
        raise ValueError(f"{rule.find!r} is no regular expression ({error})") from None
    for place in _PLACE.finditer(rule.put):
        name, change = place.groups()
        number, known_change = (name, change in _FORMS) if name.isdigit() else (change or "", True)
        if not known_change or not number.isdigit() or not 0 < int(number) <= pattern.groups:
            raise ValueError(f"{rule.put!r} has {place[0]}, which {rule.find!r} or the list of forms lacks")
    return Phrase(rule, kind, pattern, classes)


def _changed(match: re.Match[str], name: str, change: str | None) -> str | None:
    """The text of one `{…}` of a replacement."""
    if not name.isdigit():
        return _like(name, match[int(change or 0)].lower())
    text = match[int(name)] or ""
    if not text or not change:
        return text
    return CHANGES[change](text) if change in CHANGES else transformed(text.lower(), change)


def _like(verb: str, word: str) -> str | None:
    """The verb in the form of another one: "make" like "did" is "made"."""
    for lemma in lemmas(word, "VERB"):
        for tag in VERB_FORMS.values():
            if inflect(lemma, tag) == word:
                return inflect(verb, tag)
    return None


def _shortest(old: str, new: str) -> tuple[int, int, str]:
    """The part of `old` that `new` changes, and what it becomes: whole words, as an edit by the tagger would be."""
    before, after = list(re.finditer(r"\S+", old)), new.split()
    first, last, longest = 0, 0, min(len(before), len(after))
    while first < longest and before[first][0] == after[first]:
        first += 1
    while last < longest - first and before[-1 - last][0] == after[-1 - last]:
        last += 1
    # Something is put in behind the word that stays, or before the first one.
    if first + last == len(before):
        first, last = (first - 1, last) if first else (first, last - 1)
    # A word goes with the white space before it; the first one hands on its capital.
    if first + last == len(after) and not first:
        last -= 1
    gone = before[first : len(before) - last]
    start = gone[0].start() if first + last < len(after) else before[first - 1].end()
    return start, gone[-1].end(), " ".join(after[first : len(after) - last])
