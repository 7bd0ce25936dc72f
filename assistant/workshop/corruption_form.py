"""The errors of form: order and doubling of words, punctuation, words written apart or together, and spelling."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping

from assistant.inflection import kinds
from assistant.workshop import corruption_words as lists
from assistant.workshop.corruption_errors import is_noun, is_verb
from assistant.workshop.corruption_sentence import Edit, Sentence, Word

# The keys beside each key of a QWERTY keyboard.
NEIGHBOURS = {
    key: "".join(
        other
        for r, line in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm"))
        for c, other in enumerate(line)
        if abs(r - row) + abs(c - column) == 1 or (r - row == 1 and c - column == -1)
    )
    for row, keys in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm"))
    for column, key in enumerate(keys)
}
# Of typing errors (after Damerau 1964, "A technique for computer detection and correction of spelling errors").
TYPOS = ("swap", "drop", "drop", "double", "neighbour", "insert")
JOINED = frozenset(
    "alot aswell infront eachother noone atleast everytime ofcourse infact incase thankyou".split()  # noqa: SIM905
)
# Without their apostrophe these are other words.
OTHER_WORDS = frozenset("its were well hell shell ill id wed shed lets hes shes whose".split())  # noqa: SIM905
OPENING_PHRASES = (
    "of course",
    "for example",
    "in fact",
    "by the way",
    "as a result",
    "in addition",
    "for instance",
)


def order(sentence: Sentence) -> Iterator[Edit | None]:
    """Two neighbouring words in the wrong order."""
    auxiliary = lists.BE | lists.DO | lists.MODALS | lists.HAVE
    for place in range(len(sentence.words) - 1):
        if not sentence.plain(place) or not sentence.plain(place + 1):
            continue
        before, word, after = (sentence[place + step] for step in (-1, 0, 1))
        asks = word in auxiliary and after in lists.SUBJECTS and before in lists.WH and place == 1
        reports = (
            word in lists.SUBJECTS
            and after in lists.BE | lists.MODALS
            and before in lists.WH
            and place > 2
            and sentence[place + 2].isalpha()
        )
        adverb = (
            word in lists.ADVERBS and is_verb(after) and (before in lists.SUBJECTS or before in auxiliary)
        )
        adjective = "ADJ" in kinds(word) and not is_noun(word) and is_noun(after) and not is_verb(word)
        described = adjective and before in lists.DETERMINERS and not sentence[place + 2].isalpha()
        if asks or reports or adverb or described:
            yield sentence.swapped(place)


def doubled(sentence: Sentence) -> Iterator[Edit | None]:
    """A word written twice."""
    for place, word in enumerate(sentence.low):
        if sentence.plain(place) and word not in ("had", "that", "very", "no", "so"):
            yield sentence.added(place, word)


def apart(sentence: Sentence) -> Iterator[Edit | None]:
    """Compounds written as two words, with or without their hyphen."""
    for place, word in enumerate(sentence.low):
        if word in lists.COMPOUNDS and sentence.plain(place):
            yield sentence.replaced(place, place + 1, lists.COMPOUNDS[word], "MERGE_NEXT")
        elif sentence[place + 1] == "-" and word.isalpha() and sentence[place + 2].isalpha():
            first, hyphen, second = sentence.words[place : place + 3]
            if not hyphen.space and not second.space and sentence[place - 1] != "-" != sentence[place + 3]:
                yield Edit(
                    place, place + 3, (Word(first.space, first.text, "HYPHEN"), Word(" ", second.text))
                )


def apostrophes(sentence: Sentence) -> Iterator[Edit | None]:
    """Possessives ("toms book") and contractions ("dont") without their apostrophe."""
    for place, word in enumerate(sentence.low):
        whole, stop = sentence.contraction(place)
        if stop == place + 1:
            continue
        bare = sentence.words[place].text + sentence.words[stop - 1].text
        space, after = sentence.words[place].space, sentence[stop]
        if word in lists.CLOSED or sentence[stop - 1] != "s" or word in ("let", "that", "everything"):
            if bare.lower() not in OTHER_WORDS:
                yield Edit(place, stop, (Word(space, bare, "SPELL"),))
        elif (is_noun(after) or after in lists.MASS) and not is_verb(after) and whole.endswith("'s"):
            yield Edit(place, stop, (Word(space, bare, "APOSTROPHE"),))


def punctuation(sentence: Sentence) -> Iterator[Edit | None]:
    """Missing stops, question marks and commas, and commas that do not belong."""
    low, last = sentence.low, len(sentence.low) - 1
    if not low:
        return
    if last >= 3 and low[last] in (".", "?"):
        yield _without_mark(sentence, last)
        if low[last] == "?":
            yield Edit(last, last + 1, (Word(sentence.words[last].space, ".", "REPLACE_?"),))
    first_comma = low.index(",") if "," in low else -1
    opened = low[0] in lists.SUBORDINATORS or (first_comma == 1 and low[0] in lists.INTRODUCTIONS)
    if first_comma > 0 and (opened or " ".join(low[:first_comma]) in OPENING_PHRASES):
        yield _without_mark(sentence, first_comma)
    for place, word in enumerate(low):
        if (
            word == ","
            and sentence[place + 1] in ("but", "and", "so")
            and sentence[place + 2] in lists.SUBJECTS
        ):
            yield _without_mark(sentence, place)
        if sentence.plain(place) and sentence[place + 1] == "that" and is_verb(word):
            yield Edit(place, place + 1, (sentence.words[place], Word("", ",", "DELETE")))


def commas(sentence: Sentence) -> Iterator[Edit | None]:
    """Any comma between words left out; of a pair around a parenthesis one is enough to be wrong."""
    for place, word in enumerate(sentence.low):
        if place and word == "," and sentence[place + 1].isalpha():
            yield _without_mark(sentence, place)


def _without_mark(sentence: Sentence, place: int) -> Edit | None:
    """The mark left out, if it stands right behind a word; the word asks for it."""
    before = sentence.words[place - 1]
    if sentence.words[place].space or not before.text.isalnum():
        return None
    return Edit(place - 1, place + 1, (Word(before.space, before.text, f"APPEND_{sentence[place]}"),))


def spelling(
    sentence: Sentence,
    misspellings: Mapping[str, Collection[str]],
    known: Collection[str],
    rng: random.Random,
) -> Iterator[Edit | None]:
    """Each word misspelt: from the list, or mistyped. Names are left alone, and no other word may result."""
    for place, word in enumerate(sentence.low):
        after = sentence[place + 1]
        if word + after in JOINED and sentence.plain(place) and sentence.plain(place + 1):
            first, second = sentence.words[place : place + 2]
            yield Edit(place, place + 2, (Word(first.space, first.text + second.text, "SPELL"),))
        name = place > 0 and sentence.words[place].text[0].isupper()
        if not sentence.plain(place) or name or len(word) < 4 or not word.isascii():
            continue
        listed = misspellings.get(word, ())
        wrong = rng.choice(sorted(listed)) if listed and rng.random() < 0.55 else mistyped(word, rng)
        if wrong not in known and not kinds(wrong):
            yield sentence.replaced(place, place + 1, wrong, "SPELL")


def mistyped(word: str, rng: random.Random) -> str:
    """One slip of the fingers, not in the first letter: two keys swapped, one left out, doubled, missed or added."""
    place = rng.randrange(1, len(word))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    match rng.choice(TYPOS):
        case "swap" if after:
            return before + after[0] + letter + after[1:]
        case "drop":
            return before + after
        case "neighbour":
            return before + rng.choice(NEIGHBOURS.get(letter, "e")) + after
        case "insert":
            return before + letter + rng.choice(NEIGHBOURS.get(letter, "e")) + after
        case _:
            return before + letter + letter + after
