"""The errors that can be made in a sentence: each function yields the edits of its kind that the sentence allows.

There is no tagger of parts of speech behind this, only a dictionary; so an error is made where the words beside it
leave no doubt that it is one ("he goes" -> "he go", but not "the birds" -> "the bird").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from assistant.inflection import VERB_FORMS, inflect, lemmas, transformed
from assistant.workshop import corruption_words as lists
from assistant.workshop.corruption_sentence import Edit, Sentence

AFTER_BARE_VERBS = frozenset("let make made help helped see saw hear heard watch watched".split())  # noqa: SIM905
OBJECTS = frozenset(("me", "him", "her", "us", "them", "you"))
CLAUSE_OPENERS = frozenset("because if when that but think know hope say said thought".split())  # noqa: SIM905

ErrorMaker = Callable[[Sentence], "Iterator[Edit | None]"]


def is_noun(word: str) -> bool:
    """A countable noun in the singular, as far as a dictionary can tell."""
    known = lemmas(word, "NOUN")
    return len(word) > 2 and word not in lists.CLOSED | lists.MASS and known[:1] == (word,)


def is_plural(word: str) -> bool:
    """A noun in the plural that is no verb."""
    known = lemmas(word, "NOUN")
    return bool(known) and known[0] != word and inflect(known[0], "NNS") == word


def is_verb(word: str) -> bool:
    """A verb in some form, no auxiliary."""
    return word not in lists.CLOSED and bool(lemmas(word, "VERB"))


def confusions(kind: str) -> ErrorMaker:
    """Replacement of a word by one that it is confused with."""
    table = lists.CONFUSED[kind]

    def edits(sentence: Sentence) -> Iterator[Edit | None]:
        for place in range(len(sentence.words)):
            right, stop = sentence.contraction(place)
            if sentence[place - 1] in ("'", "’", "-") or sentence[stop] in ("'", "’", "-"):
                continue
            for wrong in table.get(right, ()):
                if _is_wrong(sentence, place, stop, right, wrong):
                    yield sentence.replaced(place, stop, wrong, f"REPLACE_{right}")

    return edits


def _is_wrong(sentence: Sentence, place: int, stop: int, right: str, wrong: str) -> bool:
    """Whether the replacement makes an error in this place."""
    before, after = sentence[place - 1], sentence[stop]
    match right, wrong:
        case "the", "a":
            return is_plural(after) or after in lists.MASS
        case "this", "these":
            return is_noun(after) and not is_verb(after)
        case "were", "was":
            return not {"if", "wish", "though"} & set(sentence.low)
        case "who", "which":
            return is_noun(before) or is_plural(before)
        case "have", "of":
            return before in lists.MODALS
        case "well", "good":
            return place > 1 and before != "as" and not after.isalpha()
        case "any", "some":
            return "t" in sentence.low or "not" in sentence.low
        case "tell", "say":
            return after in OBJECTS
        case "say", "tell":
            return after not in OBJECTS
        case "other", _:
            return is_noun(after) or is_plural(after)
        case "to", _:
            # The infinitive's "to" is confused with "for" and its own sound only.
            return wrong in ("for", "too", "two") or not is_verb(after)
        case (("do" | "does"), _):
            return place > 0 or after in lists.SUBJECTS
        case "no", _:
            return after.isalpha()
        case (("right" | "one" | "live" | "thought" | "past"), _):
            return after.isalpha() or before.isalpha()
    return True


def articles(sentence: Sentence) -> Iterator[Edit | None]:
    """Articles left out, and articles where none belongs."""
    for place, word in enumerate(sentence.low):
        after, noun = sentence[place + 1], sentence[place + 2]
        if word in ("a", "an") and sentence.plain(place) and after.isalpha():
            yield sentence.left_out(place)
        elif word == "the" and sentence.plain(place):
            # Before a plural or a mass noun the sentence would stay right.
            bare = is_noun(after) and (not noun[-1:].isalpha() or noun in lists.CLOSED)
            described = (is_noun(noun) and not is_verb(after)) or after in ("same", "only", "first", "best")
            if bare or (described and noun not in lists.CLOSED):
                yield sentence.left_out(place)
        elif sentence.plain(place) and sentence.plain(place + 1) and word not in lists.DETERMINERS:
            if (is_plural(after) and not is_verb(after)) or after in lists.MASS:
                if word in lists.PREPOSITIONS or is_verb(word):
                    yield sentence.added(place, "a")
            elif sentence.words[place + 1].text[0].isupper() and after != "i" and word in lists.PREPOSITIONS:
                yield sentence.added(place, "the")


def prepositions(sentence: Sentence) -> Iterator[Edit | None]:
    """Prepositions left out, and prepositions where none belongs."""
    for place, word in enumerate(sentence.low):
        if not sentence.plain(place):
            continue
        after = sentence[place + 1]
        if word in lists.LEFT_OUT["preposition"] and place > 0 and after.isalpha():
            yield sentence.left_out(place)
        extra = lists.TOO_MUCH_AFTER.get(word)
        motion = word in ("go", "went", "going", "came", "come")
        if extra and after.isalpha() and after not in lists.PREPOSITIONS:
            if word in lists.MODALS:
                if is_verb(after):
                    yield sentence.added(place, extra)
            elif (after in lists.TOO_MUCH_BEFORE) if motion else (after in OBJECTS | lists.DETERMINERS):
                yield sentence.added(place, extra)


def auxiliaries(sentence: Sentence) -> Iterator[Edit | None]:
    """Auxiliaries left out."""
    for place, word in enumerate(sentence.low):
        before, after = sentence[place - 1], sentence[place + 1]
        if word not in lists.LEFT_OUT["auxiliary"] or not sentence.plain(place) or not after.isalpha():
            continue
        if place == 0:
            fits = after in lists.SUBJECTS and word in lists.OPENING
        elif word in lists.DO:
            fits = before in lists.WH and after in lists.SUBJECTS
        elif word in lists.HAVE:
            lemma = lemmas(after, "VERB")[:1]
            # "I have finished" would become "I finished", which is right.
            fits = after == "been" or any(
                inflect(v, "VBN") == after and inflect(v, "VBD") != after and v != after for v in lemma
            )
        else:
            fits = True
        if fits:
            yield sentence.left_out(place)


def auxiliaries_added(sentence: Sentence) -> Iterator[Edit | None]:
    """A form of "be" before a verb that needs none ("I am agree")."""
    for place, word in enumerate(sentence.low):
        after = sentence[place + 1]
        alone = sentence.plain(place) and sentence.plain(place + 1)
        if word in lists.NOT_THIRD_PERSON and alone and is_verb(after) and lemmas(after, "VERB")[0] == after:
            yield sentence.added(place, "am" if word == "i" else "are")


def comparatives(sentence: Sentence) -> Iterator[Edit | None]:
    """ "More" before a comparative ("more taller")."""
    for place, word in enumerate(sentence.low):
        known = lemmas(word, "ADJ")
        if place and known and known[0] != word and inflect(known[0], "JJR") == word and word.endswith("er"):
            before = sentence[place - 1]
            if (
                sentence.plain(place)
                and sentence.plain(place - 1)
                and before not in ("much", "even", "far", "the")
            ):
                yield sentence.added(place - 1, "more")


def pronouns(sentence: Sentence) -> Iterator[Edit | None]:
    """Pronouns left out: at the start before "is" and the like, after "because …", and objects at the end."""
    verbs = lists.BE | lists.HAVE | lists.MODALS
    for place, word in enumerate(sentence.low):
        before, after = sentence[place - 1], sentence[place + 1]
        if not sentence.plain(place):
            continue
        if (
            (place == 0 and word in ("it", "i", "there") and after in verbs)
            or (
                word in lists.LEFT_OUT["pronoun"]
                and before in CLAUSE_OPENERS
                and (after in verbs or is_verb(after))
            )
            or (word == "it" and is_verb(before) and not after.isalpha())
        ):
            yield sentence.left_out(place)


def verbs(sentence: Sentence) -> Iterator[Edit | None]:
    """Verbs in another form than their auxiliary, subject or preposition asks for."""
    for place, word in enumerate(sentence.low):
        if not sentence.plain(place) or not is_verb(word):
            continue
        form, wrong_forms = _verb_form(sentence, place, word)
        for wrong_form in wrong_forms:
            label = f"TRANSFORM_VERB_{form}"
            wrong = transformed(word, f"TRANSFORM_VERB_{wrong_form}")
            # The edit has to lead back.
            if wrong != word and transformed(wrong, label) == word:
                yield sentence.replaced(place, place + 1, wrong, label)


def _verb_form(sentence: Sentence, place: int, word: str) -> tuple[str, tuple[str, ...]]:
    """The form that a verb has and the forms that would be wrong for it."""
    lemma = lemmas(word, "VERB")[0]
    helper, before = sentence.helper(place), sentence[place - 2]
    is_form = {form: inflect(lemma, tag) == word for form, tag in VERB_FORMS.items()}
    noun = bool(lemmas(word, "NOUN"))
    past = is_form["PAST"] and word != lemma
    asked = before in lists.DO | lists.MODALS | AFTER_BARE_VERBS
    if is_form["BASE"] and (helper in lists.MODALS | lists.DO or (helper in lists.SUBJECTS and asked)):
        return "BASE", ("S", "PAST", "ING")
    if is_form["BASE"] and helper == "to" and not (noun and not sentence[place + 1].isalpha()):
        return "BASE", ("ING", "PAST", "S")
    if helper in lists.HAVE and is_form["PARTICIPLE"] and word != lemma:
        return "PARTICIPLE", ("BASE", "PAST", "ING")
    if helper in lists.BE and is_form["ING"]:
        return "ING", ("BASE", "PAST")
    if helper in lists.BE and is_form["PARTICIPLE"] and word != lemma:
        return "PARTICIPLE", ("BASE", "PAST")
    if (helper in lists.PREPOSITIONS or helper == "to") and is_form["ING"]:
        return "ING", ("BASE",)
    subject = (helper in lists.SUBJECTS or helper in lists.THIRD_PERSON) and not asked
    if ((subject and helper in lists.THIRD_PERSON) or not noun) and is_form["S"]:
        return "S", ("BASE", "ING")
    if subject and helper in lists.NOT_THIRD_PERSON and is_form["BASE"] and not past:
        return "BASE", ("S", "ING")
    if past and subject:
        sure = helper in lists.THIRD_PERSON or lists.PAST_TIMES & set(sentence.low)
        return "PAST", ("PARTICIPLE", "BASE") if sure else ("PARTICIPLE",)
    if is_form["BASE"] and not noun and is_plural(helper) and not is_verb(helper):
        return "BASE", ("S",)
    return "", ()


def nouns(sentence: Sentence) -> Iterator[Edit | None]:
    """Nouns in the wrong number, beside a word that asks for the right one."""
    for place, word in enumerate(sentence.low):
        before, after = sentence[place - 1], sentence[place + 1]
        if not sentence.plain(place) or (is_noun(after) and not is_verb(after)):
            continue
        if (
            is_noun(word)
            and before in lists.BEFORE_SINGULAR
            and (not after.isalpha() or after in lists.CLOSED)
        ):
            wrong, label = transformed(word, "TRANSFORM_PLURAL"), "TRANSFORM_SINGULAR"
        elif is_plural(word) and (
            before in lists.BEFORE_PLURAL
            or after in ("are", "were", "have", "do")
            or (before in lists.OFTEN_BEFORE_PLURAL and not is_verb(word))
            # "Scientists can …" without an article or the like before it.
            or (after in lists.MODALS and before in ("", ",", "and", "that", "if", "when", "because"))
            or (before in lists.PREPOSITIONS - {"by"} and lemmas(word, "NOUN")[0] not in lists.MASS)
            or (is_verb(before) and not is_verb(word) and not after.isalpha())
        ):
            wrong, label = transformed(word, "TRANSFORM_SINGULAR"), "TRANSFORM_PLURAL"
        else:
            continue
        if wrong != word and transformed(wrong, label) == word:
            yield sentence.replaced(place, place + 1, wrong, label)
