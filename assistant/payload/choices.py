"""A question with its choices."""

from __future__ import annotations

import re

from assistant.payload import words
from assistant.payload.clauses import cut
from assistant.payload.lists import CHOICES, Listing, marked, option, quoted, without_question
from assistant.payload.questions import after_politeness, asking_clause, core, passage_around
from assistant.payload.source import Finding, Source, Stretch, Value, trimmed

_QUESTION_LABEL = re.compile(r"\s*(?:(?:\w+ ){0,2}question|pergunta|q)\s*:\s*", re.I)
_LINES = re.compile(r"\n+")
_STRONG = re.compile(rf"[,.?!]?{words.OR.pattern}|[;|]|\s/\s|\s(?:vs\.?|versus)\s", re.I)
_WEAK = re.compile(rf"{_STRONG.pattern}|,(?!\d)|/", re.I)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_COMMAS = re.compile(rf",?{words.OR.pattern}|,\s+", re.I)
_ONLY_OR = re.compile(r"\W*(?:or|ou|and|e|vs)\W*", re.I)
# An option of more words than this is a clause, in which a comma parts nothing.
_SHORT = 4
# Questions that statements may follow, or precede, as the choices.
_OF_STATEMENTS = re.compile(
    r"\b(?:which(?= (?:one|of (?:these|those|them|the)|is|sentence|statement|option|event|ending))|"
    r"cause|reason|result|effect|happen(?:s|ed)|why|sense|plausible|likely|"
    r"qual|causa|motivo|resultado|aconteceu|sentido|prováve[li]s?|por ?qu[eê])(?!\w)",
    re.I,
)
_PICK = re.compile(
    r"\W*(?:please\s+)?(?:choose|pick|select|answer with|escolha|marque|selecione)\b[^.?!:]{0,60}[.!:]?\s*$",
    re.I,
)
_AND_ASKS = re.compile(
    r"\W*(?:and|so|then|e|então)\s+(?=(?:what|which|who|where|when|why|how|qual|quem|onde|quando|como|o que)\b)",
    re.I,
)
# How a user goes on to another question: "and this one:".
_NEXT_ONE = re.compile(r"\W*(?:and|now|next|another|e|agora)(?:\s+\w+){0,2}\s*:\s*", re.I)
_IS_IT = re.compile(
    r"(?:^|(?<=[\s,;.?!]))(?:(?:is|was|are|were)\s+(?:it|that|they)|would\s+(?:it|that)\s+be|"
    r"[ée]|foi|seria)\s*$",
    re.I,
)
_STARTS_IS_IT = re.compile(r"\W*(?:(?:is|was|are|were)\s+(?:it|they)|would\s+it\s+be)\s+", re.I)
_BECAUSE = re.compile(r"\b(?:because|porque)\s+", re.I)
_DETERMINER = re.compile(
    r"an?|the|my|your|his|her|its|our|their|some|any|os?|as|uma?s?|uns|seus?|suas?|meus?|minhas?", re.I
)
_PREPOSITION = re.compile(
    r"in|on|at|to|into|onto|with|by|from|for|of|under|over|inside|outside|near|through|during|after|before|"
    r"without|as|like|em|n[oa]s?|numa?|ao|[àa]s?|aos|d[oae]s?|com|por|para|pel[oa]s?|sobre",
    re.I,
)

_WOULD_YOU = re.compile(
    r".*\b(?:should|would|could|can|will|shall|must|do|did|does)\s+(?:you|i|we|s?he|they|it|one|people)\s+(?=\w)",
    re.I | re.S,
)


def find_question_and_choices(
    source: Source, question: str, choices: str, context: str | None = None
) -> Finding | None:
    """A question and at least two choices: lettered, bulleted, listed after "options:" or after the question,
    quoted, or "X or Y" within it.

    A question whose parts stand on both sides of the choices has two lines.
    """
    finders = (marked, _named, quoted, _after_question, _before_question, _within)
    found = next((f for finder in finders if (f := finder(source)) and len(f.values) >= 2), None)
    if found is None:
        return None
    head, tail = _head(source, found.begin), _tail(source, found.end)
    if not head and not tail:
        return None
    if not tail and not found.set_apart and not any(words.WORD.search(source.masked, *part) for part in head):
        # Somebody's words, and "good or bad?".
        return None
    fields: dict[str, tuple[Value, ...]] = {choices: tuple(found.values)}
    inner = Source.read(source.text[: found.begin])
    asked = asking_clause(inner) if context and not tail else None
    if context and head and tail:
        fields |= {context: (head,), question: (tail,)}
    elif context and asked and (passage := passage_around(inner, asked)):
        fields |= {context: (passage,), question: (core(inner, asked),)}
    else:
        fields[question] = ((*head, *tail),)
    return Finding(source, fields, explicit=found.explicit, listed=found.listed)


# --- where the choices are ------------------------------------------------------------------------------------


def _named(source: Source) -> Listing | None:
    """Options: …, …"""
    named = CHOICES.search(source.masked)
    if named is None:
        return None
    end = without_question(source, named.end(), _block_end(source, named.end()))
    return Listing(named.start(), end, _separated(source, named.end(), end))


def _after_question(source: Source) -> Listing | None:
    """What was the cause? He fell or he slept."""
    asked = [
        match.end() for match in re.finditer(r"(?<=[?:])\s+(?=\S)|(?<=\w)\s[-–—]+\s(?=\S)", source.masked)
    ]
    for begin in reversed(asked[-4:]):
        end = without_question(source, begin, len(source.text))
        statements = _OF_STATEMENTS.search(source.masked, max(0, begin - 300), begin) is not None
        values = _separated(source, begin, end, statements)
        asks = [words.ASKS.match(source.masked, value[0][0]) is not None for value in values]
        # Choices that begin as a question all do: "Did he fall or did he sleep?".
        if len(values) >= 2 and (all(asks) or not asks[0]) and _head(source, begin):
            of_text = words.points_at_text(source.masked[max(0, begin - 300) : begin])
            return Listing(begin, end, values, explicit=not of_text)
    return None


def _before_question(source: Source) -> Listing | None:
    """He ate a stone. He ate an apple. Which makes more sense?"""
    end = without_question(source, 0, len(source.text))
    if end == len(source.text) or not words.ASKS_WHICH.match(source.masked[end:]):
        return None
    if not _OF_STATEMENTS.search(source.masked, end):
        return None
    return Listing(0, end, _separated(source, 0, end, statements=True))


def _within(source: Source) -> Listing | None:
    """Would you keep it in the oven or the freezer? Which is hot, ice, rain or fire?"""
    found = list(words.OR.finditer(source.masked))
    if not found:
        return None
    last = found[-1]
    stops = [*re.finditer(r"[.?!:]\s+|\n", source.masked)]
    begin = max((stop.end() for stop in stops if stop.end() <= last.start()), default=0)
    end = min((stop.start() for stop in stops if stop.start() >= last.end()), default=len(source.text))
    if words.WORD.search(source.masked, end) and not words.is_courtesy(source.masked[end:]):
        return None
    explicit = not words.points(source.masked[begin:end])
    parts = _pieces(source, _COMMAS, begin, end)
    if len(parts) < 2:
        return None
    asking = [n for n, part in enumerate(parts) if words.ASKS.match(source.masked, *part)]
    if asking and asking[-1] == len(parts) - 1:
        first = asking[0]
        if len(parts) - first < 2 or len(asking) < len(parts) - first:
            # The oven or the freezer, where would you keep it?
            parts, first = parts[:-1], 0
            if len(asking) > 1:
                return None
        values = [option(source, *part) for part in parts[first:]]
        return Listing(parts[first][0], parts[-1][1], [value for value in values if value], explicit, False)
    asker = asking[-1] if asking else 0
    (start, stop), rest = parts[asker], parts[asker + 1 :]
    asks = words.ASKS.match(source.masked, start, stop)
    if asks and asks["wh"] and len(rest) > 1:
        parts = rest
    else:
        parts = [(start + _parallel(source.masked[start:stop], source.masked[slice(*rest[0])]), stop), *rest]
    values = [option(source, *part) for part in parts]
    return Listing(parts[0][0], end, [value for value in values if value], explicit, False)


def _parallel(left: str, right: str) -> int:
    """Where in `left` begins what `right` is the alternative to: "keep it in [the oven]", "the freezer"."""
    before = list(words.WORD.finditer(left))
    after = [word.group() for word in words.WORD.finditer(right)]
    because = _BECAUSE.search(left)
    if because and len(after) > 2 and not _BECAUSE.match(right.lstrip()):
        return because.end()
    if not before or not after:
        return 0
    # The last word of the same kind as the first one on the right: the same word, another article, another preposition.
    same = re.compile(re.escape(after[0]), re.I)
    for kind in (same, _DETERMINER, _PREPOSITION):
        alike = [word.start() for word in before[1:] if kind.fullmatch(word.group())]
        if alike and kind.fullmatch(after[0]):
            return alike[-1]
    if is_it := _STARTS_IS_IT.match(left):
        return is_it.end()
    leading = next((n for n, word in enumerate(after) if n and _leads(word)), len(after))
    would_you = _WOULD_YOU.match(left)
    if would_you and leading < len(after) and not _leads(after[0]):
        # "Should you [put on a coat]", "take off your shoes": something to do, with its object.
        return would_you.end()
    # As many words as lead on the right, but none that only leads up to them; an article belongs to its noun.
    start = before[-1].start()
    for count, word in enumerate(reversed(before[1:])):
        if count == leading or _leads(word.group()):
            return word.start() if _DETERMINER.fullmatch(word.group()) else start
        start = word.start()
    return start


def _leads(word: str) -> bool:
    return bool(_DETERMINER.fullmatch(word) or _PREPOSITION.fullmatch(word))


# --- the question around them -----------------------------------------------------------------------------------


def _head(source: Source, end: int) -> Value:
    """What stands before the choices, without greeting, "Question:", "choose one:" and "is it"."""
    parts = [stretch for stretch, _ in cut(source, 0, end)]
    parts = [part for part in parts[:3] if not words.is_courtesy(source.masked[slice(*part)])] + parts[3:]
    while len(parts) > 1 and _PICK.match(source.masked[slice(*parts[-1])]):
        parts.pop()
    while len(parts) > 1 and _PICK.match(source.masked[slice(*parts[0])]):
        parts.pop(0)
    if len(parts) > 1 and _NEXT_ONE.fullmatch(source.masked, parts[0][0], parts[1][0]):
        parts.pop(0)
    if not parts:
        return ()
    label = _QUESTION_LABEL.match(source.text, parts[0][0], end)
    start, stop = after_politeness(source, label.end() if label else parts[0][0], end), parts[-1][1]
    goes_on = _AND_ASKS.match(source.masked, start, stop)
    start = goes_on.end() if goes_on else start
    is_it = _IS_IT.search(source.masked, start, stop)
    if is_it and words.WORD.search(source.masked, start, is_it.start()):
        stop = is_it.start()
    return trimmed(source.text, start, stop, ":,-–— \t(") or ()


def _tail(source: Source, start: int) -> Value:
    """A question after the choices; empty when what follows does not ask."""
    parts = [stretch for stretch, _ in cut(source, start)]
    while parts and words.is_courtesy(source.masked[slice(*parts[-1])]):
        parts.pop()
    if not parts:
        return ()
    begin = re.compile(r"[\s?.,;:)\]–—-]*").match(source.text, start)
    begin_at, end = begin.end() if begin else start, parts[-1][1]
    rest = source.masked[begin_at:end]
    asks = rest.rstrip().endswith("?") or words.ASKS.match(rest) or words.ASKS_WHICH.match(rest)
    return source.value(begin_at, end) or () if asks and words.WORD.search(rest) else ()


# --- one choice from the next ---------------------------------------------------------------------------------


def _separated(source: Source, start: int, end: int, statements: bool = False) -> list[Value]:
    """The choices in a stretch: a line each, else parted by "or" and the like, by commas when all are short,
    or, of `statements`, a sentence each."""
    lines = [
        line for line in _pieces(source, _LINES, start, end) if not _ONLY_OR.fullmatch(source.masked, *line)
    ]
    strong = _pieces(source, _STRONG, start, end)
    weak = _pieces(source, _WEAK, start, end)
    short = all(len(words.WORD.findall(source.text, *part)) <= _SHORT for part in weak)
    if len(lines) > 1:
        parts = lines
    elif short and len(weak) > len(strong) and (len(weak) > 2 or len(strong) > 1 or _is_list(source, start)):
        parts = weak
    elif len(strong) > 1 or not statements:
        parts = strong
    else:
        parts = _pieces(source, _SENTENCES, start, end)
    return [value for part in parts if (value := option(source, *part))]


def _is_list(source: Source, start: int) -> bool:
    """Whether a list is announced ("Options: …"), or two words are set against each other ("ice/fire")."""
    return source.masked[:start].rstrip().endswith(":") or "/" in source.masked[start:]


def _pieces(source: Source, separator: re.Pattern[str], start: int, end: int) -> list[Stretch]:
    """The stretches between separators that hold a word or a quote."""
    marks = list(separator.finditer(source.masked, start, end))
    begins, stops = [start, *(m.end() for m in marks)], [*(m.start() for m in marks), end]
    return [
        part
        for part in zip(begins, stops, strict=True)
        if re.search(r"[\w\ue000]", source.masked[slice(*part)])
    ]


def _block_end(source: Source, start: int) -> int:
    blank = re.compile(r"\n\s*\n").search(source.masked, start)
    return blank.start() if blank else len(source.text)
