"""A question with its passage, or with its choices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.payload import words
from assistant.payload.clauses import cut
from assistant.payload.labels import labelled
from assistant.payload.source import Finding, Source, Stretch, Value, trimmed

_CHOICES = re.compile(
    r"(?:^|(?<=[\n.?!;,\s]))(?:choices|options|answers|candidates|opções|alternativas|escolhas)\s*:\s*", re.I
)
_LETTERED = re.compile(
    r"(?:(?<=\s)|^)(?:(?:option|choice|statement|sentence|opção|alternativa|frase|afirmação)\s+)?"
    r"\(?(?P<mark>[a-z]|[1-9]\d?)(?:[):\]]|\.(?![a-zà-ú]\.))(?!\d)\s*",
    re.M | re.I,
)
_BULLETED = re.compile(r"^[ \t]*[-*•][ \t]+", re.M)
_PASSAGE_LABEL = re.compile(rf"\s*(?:{words.NOUN}|context|contexto)\s*:\s*", re.I)
_QUESTION_LABEL = re.compile(r"\s*(?:question|pergunta|q)\s*:\s*", re.I)
# "more or less" and "or not" part no choices.
_OR = r"(?:(?<!\bmore)(?<!\bmais)\s+(?:or|ou)\s+(?!not\b|less\b|so\b|else\b|não\b|menos\b))"
_LINES = re.compile(r"\n+")
_STRONG = re.compile(rf"[,.?!]?{_OR}|\s*[;|]\s*|\s+/\s+|\s+(?:vs\.?|versus)\s+", re.I)
_WEAK = re.compile(rf"{_STRONG.pattern}|\s*,(?!\d)\s*|/", re.I)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_COMMAS = re.compile(rf",?{_OR}|,\s+", re.I)
_LEADING_OR = re.compile(r"\s*(?:(?:or|ou)\s+)?", re.I)
_TRAILING_OR = re.compile(r"[\s,;]+(?:or|ou)\s*$", re.I)
_BETWEEN_QUOTES = re.compile(r"\W*(?:(?:or|ou|and|e|vs|versus)\W*)?", re.I)
# An option of more words than this is a clause, in which a comma parts nothing.
_SHORT = 4
_ASKS = re.compile(
    r"\W*(?:(?:or|and|so|but|ou|e)\s+)?(?:is|are|was|were|do|does|did|can|could|would|will|should|may|has|"
    r"have|had|[ée]|são|foi|era|você|(?P<wh>what|which|who|where|when|why|how|qual|quais|quem|onde|quando|"
    r"como|o que|por ?qu[eê]))(?!\w)",
    re.I,
)
# Questions that statements may follow, or precede, as the choices.
_OF_STATEMENTS = re.compile(
    r"\b(?:which|cause|reason|result|effect|happen(?:s|ed)|why|sense|plausible|likely|"
    r"qual|causa|motivo|resultado|aconteceu|sentido|prováve[li]s?|por ?qu[eê])(?!\w)",
    re.I,
)
_WHICH_STATEMENT = re.compile(r"\W*(?:(?:so|and|e)\s+)?(?:which|what|qual)\b", re.I)
_PICK = re.compile(
    r"\W*(?:please\s+)?(?:choose|pick|select|answer with|escolha|marque|selecione)\b[^.?!:]{0,60}[.!:]?\s*$",
    re.I,
)
_IS_IT = re.compile(
    r"(?:^|(?<=[\s,;.?!]))(?:(?:is|was|are|were)\s+(?:it|that|they)|would\s+(?:it|that)\s+be|"
    r"[ée]|foi|seria)\s*$",
    re.I,
)
_STARTS_IS_IT = re.compile(r"\W*(?:(?:is|was|are|were)\s+(?:it|they)|would\s+it\s+be)\s+", re.I)
_BECAUSE = re.compile(r"\b(?:because|porque)\s+", re.I)
_DETERMINERS = frozenset(
    "a an the my your his her its our their some any o os as um uma uns umas seu sua meu minha".split()
)
_PREPOSITIONS = frozenset(
    "in on at to into onto with by from for of under over inside outside near through during after before "
    "without as like em no na nos nas num numa ao à aos às do da dos das de com por para pelo pela sobre".split()
)
_ABOUT_PASSAGE = re.compile(
    rf"^\W*(?:(?:hi|hello|please|so)\W+)*(?:according to|based on|given|from|in|using|read|answer|"
    rf"segundo|de acordo com|com base em|"
    rf"leia|responda)\b[^,:?]*?\b(?:{words.NOUN}|this|isto)\b[^,:?]*[,:]?\s*",
    re.I,
)


def find_question_and_context(source: Source, question: str, context: str) -> Finding | None:
    """A passage and a question about it, by labels, quotes, or as the sentence that asks."""
    found = labelled(source, (context, question))
    if found:
        return found
    asked = _question(source)
    if asked is None:
        return None
    passage = _rest(source, asked)
    fields: dict[str, tuple[Value, ...]] = {question: (_core(source, asked),)}
    if passage:
        fields[context] = (passage,)
    return Finding(source, fields, explicit=passage is not None)


@dataclass(frozen=True)
class _Listing:
    """Choices that stand in `[begin, end)`; the question is before them, after them, or both."""

    begin: int
    end: int
    values: Sequence[Value]
    explicit: bool = True


def find_question_and_choices(
    source: Source, question: str, choices: str, context: str | None = None
) -> Finding | None:
    """A question and at least two choices: lettered, bulleted, listed after "options:" or after the question,
    quoted, or "X or Y" within it.

    A question whose parts stand on both sides of the choices has two lines.
    """
    finders = (_marked, _named, _quoted, _after_question, _before_question, _within)
    found = next((f for finder in finders if (f := finder(source)) and len(f.values) >= 2), None)
    if found is None:
        return None
    head, tail = _head(source, found.begin), _tail(source, found.end)
    if not head and not tail:
        return None
    fields: dict[str, tuple[Value, ...]] = {choices: tuple(found.values)}
    inner = Source.read(source.text[: found.begin])
    asked = _question(inner) if context and not tail else None
    if context and head and tail:
        fields |= {context: (head,), question: (tail,)}
    elif context and asked and (passage := _rest(inner, asked)):
        fields |= {context: (passage,), question: (_core(inner, asked),)}
    else:
        fields[question] = ((*head, *tail),)
    return Finding(source, fields, explicit=found.explicit)


def _question(source: Source) -> Stretch | None:
    """The clause that asks: the last one with a question mark outside of quotes, else the one that opens as
    one."""
    asking: list[Stretch] = []
    for (start, end), ends in cut(source):
        clause = source.masked[start:end]
        if "?" in ends or clause.rstrip().endswith("?"):
            stop = end
            while stop < len(source.text) and source.text[stop] in "?!":
                stop += 1
            asking.append((start, stop))
    at_edge = [
        s for s in asking if not source.masked[: s[0]].strip() or not source.masked[s[1] :].strip(' \n"”»')
    ]
    if asking:
        return (at_edge or asking)[-1]
    for (start, end), _ in cut(source):
        if words.opens_request(source.masked[start:end]) and end - start < 300:
            return (start, end)
    return None


def _core(source: Source, asked: Stretch) -> Value:
    """The question without "according to this text,"."""
    about = _ABOUT_PASSAGE.match(source.masked, *asked)
    start = about.end() if about and about.end() < asked[1] else asked[0]
    return trimmed(source.text, start, asked[1]) or (asked,)


def _rest(source: Source, asked: Stretch) -> Value | None:
    """The passage: the longer side of the question, without a heading such as "Read this text:"."""
    sides = [
        _without_heading(source, 0, asked[0]),
        _without_heading(source, asked[1], len(source.text)),
    ]
    start, end = max(sides, key=lambda side: len(source.text[slice(*side)].strip()))
    quoted = source.inside(start, end)
    if len(quoted) == 1 and len(words.WORD.findall(source.masked[start:end])) <= 12:
        return quoted[0].value
    value = source.value(start, end)
    if value is None or len(words.WORD.findall(source.read_value(value))) < 4:
        return None
    return value


def _without_heading(source: Source, start: int, end: int) -> Stretch:
    label = _PASSAGE_LABEL.match(source.masked, start, end)
    if label:
        return (label.end(), end)
    first = next(iter(cut(source, start, end)), None)
    asks_to_read = first and ":" in first[1] and words.opens_request(source.masked[slice(*first[0])])
    if first and asks_to_read and len(words.WORD.findall(source.masked[slice(*first[0])])) <= 14:
        return (first[0][1] + 1, end)
    return (start, end)


# --- where the choices are ------------------------------------------------------------------------------------


def _marked(source: Source) -> _Listing | None:
    """A) … B) …, 1. … 2. …, or a list of bullets."""
    named = _CHOICES.search(source.masked)
    for pattern in (_LETTERED, _BULLETED):
        marks = list(pattern.finditer(source.masked))
        marks = _in_sequence(marks) if pattern is _LETTERED else marks
        if len(marks) < 2:
            continue
        end = _without_question(source, marks[-1].end(), _line_end(source, marks[-1].end()))
        ends = [*(mark.start() for mark in marks[1:]), end]
        values = [_option(source, mark.end(), stop) for mark, stop in zip(marks, ends, strict=True)]
        begin = min(marks[0].start(), named.start() if named else marks[0].start())
        return _Listing(begin, end, [value for value in values if value])
    return None


def _named(source: Source) -> _Listing | None:
    """Options: …, …"""
    named = _CHOICES.search(source.masked)
    if named is None:
        return None
    end = _without_question(source, named.end(), _block_end(source, named.end()))
    return _Listing(named.start(), end, _separated(source, named.end(), end))


def _quoted(source: Source) -> _Listing | None:
    """The last quotes that stand side by side, with no more than an "or" between them."""
    run = list(source.containers[-1:])
    for block in reversed(source.containers[:-1]):
        if not _BETWEEN_QUOTES.fullmatch(source.masked, block.end, run[0].start):
            break
        run.insert(0, block)
    return _Listing(run[0].start, run[-1].end, [block.value for block in run]) if len(run) > 1 else None


def _after_question(source: Source) -> _Listing | None:
    """What was the cause? He fell or he slept."""
    asked = [match.end() for match in re.finditer(r"(?<=[?:])\s+(?=\S)", source.masked)]
    for begin in reversed(asked[-4:]):
        end = _without_question(source, begin, len(source.text))
        statements = _OF_STATEMENTS.search(source.masked, max(0, begin - 300), begin) is not None
        values = _separated(source, begin, end, statements)
        asks = [_ASKS.match(source.masked, value[0][0]) is not None for value in values]
        # Choices that begin as a question all do: "Did he fall or did he sleep?".
        if len(values) >= 2 and (all(asks) or not asks[0]) and _head(source, begin):
            return _Listing(begin, end, values)
    return None


def _before_question(source: Source) -> _Listing | None:
    """He ate a stone. He ate an apple. Which makes more sense?"""
    end = _without_question(source, 0, len(source.text))
    if end == len(source.text) or not _WHICH_STATEMENT.match(source.masked[end:]):
        return None
    if not _OF_STATEMENTS.search(source.masked, end):
        return None
    return _Listing(0, end, _separated(source, 0, end, statements=True))


def _within(source: Source) -> _Listing | None:
    """Would you keep it in the oven or the freezer? Which is hot, ice, rain or fire?"""
    last = None
    for last in re.finditer(_OR, source.masked, re.I):
        pass
    if last is None:
        return None
    stops = [*re.finditer(r"[.?!:]\s+|\n", source.masked)]
    begin = max((stop.end() for stop in stops if stop.end() <= last.start()), default=0)
    end = min((stop.start() for stop in stops if stop.start() >= last.end()), default=len(source.text))
    if words.WORD.search(source.masked, end) and not words.is_courtesy(source.masked[end:]):
        return None
    explicit = not words.points(source.masked[begin:end])
    parts = _pieces(source, _COMMAS, begin, end)
    asking = [n for n, part in enumerate(parts) if _ASKS.match(source.masked, *part)]
    if asking and asking[-1] == len(parts) - 1:
        first = asking[0]
        if len(parts) - first < 2 or len(asking) < len(parts) - first:
            # The oven or the freezer, where would you keep it?
            parts, first = parts[:-1], 0
            if len(asking) > 1:
                return None
        values = [_option(source, *part) for part in parts[first:]]
        return _Listing(parts[first][0], parts[-1][1], [value for value in values if value], explicit)
    asker = asking[-1] if asking else 0
    (start, stop), rest = parts[asker], parts[asker + 1 :]
    asks = _ASKS.match(source.masked, start, stop)
    if asks and asks["wh"] and len(rest) > 1:
        parts = rest
    else:
        parts = [(start + _parallel(source.masked[start:stop], source.masked[slice(*rest[0])]), stop), *rest]
    values = [_option(source, *part) for part in parts]
    return _Listing(parts[0][0], end, [value for value in values if value], explicit)


def _parallel(left: str, right: str) -> int:
    """Where in `left` begins what `right` is the alternative to: "keep it in [the oven]", "the freezer"."""
    before = list(words.WORD.finditer(left))
    after = [word.group().lower() for word in words.WORD.finditer(right)]
    if is_it := _STARTS_IS_IT.match(left):
        return is_it.end()
    if len(after) > 2 and (because := _BECAUSE.search(left)) and after[0] not in ("because", "porque"):
        return because.end()
    if not before or not after:
        return 0
    kinds = [{after[0]}, *(kind for kind in (_DETERMINERS, _PREPOSITIONS) if after[0] in kind)]
    for kind in kinds:
        alike = [word.start() for word in before[1:] if word.group().lower() in kind]
        if alike:
            return alike[-1]
    # As many words as on the right, but none that only leads up to them.
    start = before[-1].start()
    for word in reversed(before[1:][-len(after) :]):
        if word.group().lower() in _DETERMINERS | _PREPOSITIONS:
            break
        start = word.start()
    return start


# --- the question around them -----------------------------------------------------------------------------------


def _head(source: Source, end: int) -> Value:
    """What stands before the choices, without greeting, "Question:", "choose one:" and "is it"."""
    parts = [stretch for stretch, _ in cut(source, 0, end)]
    while parts and _is_idle(source.masked[slice(*parts[0])]):
        parts.pop(0)
    while parts and _PICK.match(source.masked[slice(*parts[-1])]):
        parts.pop()
    if not parts:
        return ()
    label = _QUESTION_LABEL.match(source.text, parts[0][0], end)
    start, stop = (label.end() if label else parts[0][0]), parts[-1][1]
    is_it = _IS_IT.search(source.masked, start, stop)
    if is_it and words.WORD.search(source.masked, start, is_it.start()):
        stop = is_it.start()
    return trimmed(source.text, start, stop, ":,-–— \t(") or ()


def _tail(source: Source, start: int) -> Value:
    """A question after the choices; empty when what follows does not ask."""
    parts = [stretch for stretch, _ in cut(source, start)]
    while parts and _is_idle(source.masked[slice(*parts[-1])]):
        parts.pop()
    if not parts:
        return ()
    begin = re.compile(r"[\s?.,;:)\]–—-]*").match(source.text, start)
    begin_at, end = begin.end() if begin else start, parts[-1][1]
    rest = source.masked[begin_at:end]
    asks = rest.rstrip().endswith("?") or _ASKS.match(rest) or _WHICH_STATEMENT.match(rest)
    return source.value(begin_at, end) or () if asks and words.WORD.search(rest) else ()


def _is_idle(clause: str) -> bool:
    return len(clause) < 200 and (words.is_courtesy(clause) or _PICK.match(clause) is not None)


def _without_question(source: Source, start: int, end: int) -> int:
    """The end of the choices before a question that follows them: "b) He slept. Which is right?"."""
    for gap in reversed(
        list(re.finditer(r"\s+[-–—]+\s+|(?<=[.!?;\ue000])\s+|\n+", source.masked[start:end]))
    ):
        rest = source.masked[start + gap.end() : end].strip()
        if rest and not words.is_courtesy(rest[:200]):
            asks = rest.endswith("?") and (_ASKS.match(rest) or _WHICH_STATEMENT.match(rest))
            return start + gap.start() if asks and not re.search(_OR, rest, re.I) else end
    return end


# --- one choice from the next ---------------------------------------------------------------------------------


def _in_sequence(marks: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """The marks that count up from the first: a, b, c or 1, 2, 3."""
    kept: list[re.Match[str]] = []
    for mark in marks:
        written = mark["mark"].lower()
        number = int(written) if written.isdigit() else ord(written) - ord("a") + 1
        same_kind = not kept or written.isdigit() == kept[0]["mark"].isdigit()
        if number == len(kept) + 1 and same_kind:
            kept.append(mark)
    return kept


def _separated(source: Source, start: int, end: int, statements: bool = False) -> list[Value]:
    """The choices in a stretch: a line each, else parted by "or" and the like, by commas when all are short,
    or, of `statements`, a sentence each."""
    lines = _pieces(source, _LINES, start, end)
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
    return [value for part in parts if (value := _option(source, *part))]


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


def _option(source: Source, start: int, end: int) -> Value | None:
    """A choice without the "or" before or after it."""
    lead = _LEADING_OR.match(source.masked, start, end)
    trail = _TRAILING_OR.search(source.masked, start, end)
    return source.value(lead.end() if lead else start, trail.start() if trail else end, "?,;")


def _line_end(source: Source, start: int) -> int:
    end = source.masked.find("\n", start)
    return len(source.text) if end < 0 else end


def _block_end(source: Source, start: int) -> int:
    blank = re.compile(r"\n\s*\n").search(source.masked, start)
    return blank.start() if blank else len(source.text)
