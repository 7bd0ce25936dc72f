"""A question with its passage."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.payload import words
from assistant.payload.clauses import cut, unruled
from assistant.payload.labels import labelled
from assistant.payload.source import Finding, Source, Stretch, Value, trimmed

_PASSAGE_LABEL = re.compile(rf"\s*(?:{words.NOUN}|context|contexto)\s*:\s*", re.I)
_ABOUT_PASSAGE = re.compile(
    rf"\W*(?:(?:hi|hello|please|so|tell me)\W+)*(?:according to|based on|given|from|in|using|read|answer|"
    rf"segundo|de acordo com|com base n?[aeo]m?|"
    rf"leia|responda)\b[^,:?]*?\b(?:{words.NOUN}|this|isto)\b[^,:?]*[,:]?\s*",
    re.I,
)
_LABEL = re.compile(r"\s*(?:(?:my )?question|pergunta|q)\s*:?\s*", re.I)
_ABOUT_PASSAGE_LAST = re.compile(
    rf",?\s+(?:according to|based on|segundo|de acordo com|com base n?[aeo]m?)\s+(?:\w+\s+){{1,2}}?{words.NOUN}"
    rf"(?:\s+(?:below|above|abaixo|acima))?\s*[?:]*$",
    re.I,
)
_POLITE = re.compile(
    r"\W*(?:(?:please|pls)\s+|(?:can|could|would|will) (?:you|u)\s+(?:please\s+)?)?"
    r"(?:tell me|let me know|find(?: out)?|check|look up|say|answer|me diga|diga-me|diz-me),?\s+"
    rf"(?:(?:in|from|using|based on|by|with|n[oa]|est[ae]|nest[ae])\s+(?:\w+\s+){{1,2}}?{words.NOUN}"
    r"(?:\s+(?:below|above|abaixo|acima))?,?\s+(?:and\s+)?)?"
    r"(?=(?:which|what|who|whose|where|when|why|how|qual|quais|quem|onde|quando|como|quant[oa]s?|o que)\b)",
    re.I,
)
# What a line says that only announces a passage.
_TASK = re.compile(
    r"\b(?:questions?|answer|read|passage|text|perguntas?|respon[dt]\w+|l[eê]\w*|texto)\b", re.I
)
_LONGEST_HEADING = 16  # words
_SHORT_QUESTION = 15
# "When did it open" asks, "when the road was cleared" does not.
_ASKING_WORD = re.compile(
    r"\W*(?:(?:and|so|e)\s+)?(?:(?:where|when)\s+(?:is|are|was|were|do|does|did|can|could|will|would|has|have|had)|"
    r"whose|whom|onde|quando|quant[oa]s?)\b",
    re.I,
)
# What a question is followed by when it is asked with choices, and not about a passage.
_LETTERED = re.compile(r"\(?a[):.]\s.*?\s\(?b[):.]\s", re.I | re.S)


def find_question_and_context(source: Source, question: str, context: str) -> Finding | None:
    """A passage and a question about it, by labels, quotes, or as the sentence that asks."""
    found = labelled(source, (context, question))
    if found:
        return found
    asked = asking_clause(source)
    if asked is None:
        return None
    passage = passage_around(source, asked)
    value = core(source, asked)
    fields: dict[str, tuple[Value, ...]] = {question: (value,)}
    if passage:
        fields[context] = (passage,)
    # A text and a question may be meant for any application, unless the question is said to be about the text.
    about = value != (asked,) or _PASSAGE_LABEL.match(source.masked) is not None
    return Finding(source, fields, explicit=passage is not None and about)


def asking_clause(source: Source) -> Stretch | None:
    """The clause that asks: the last one with a question mark outside of quotes, else the one that opens as
    one."""
    asks: list[Stretch] = []
    for (start, end), ends in cut(source):
        clause = source.masked[start:end]
        if "?" in ends or clause.rstrip().endswith("?"):
            stop = end
            while stop < len(source.text) and source.text[stop] in "?!":
                stop += 1
            asks.append((start, stop))
    at_edge = [
        s
        for s in asks
        if not source.masked[: s[0]].strip()
        or not source.masked[s[1] :].strip(' \n"”»')
        or _ABOUT_PASSAGE.fullmatch(source.masked, 0, s[0])
    ]
    if at_edge:
        return at_edge[-1]
    for (start, end), _ in _edges(cut(source)):
        clause = source.masked[start:end]
        before = source.masked[:start].rstrip()
        begins = not before or before[-1] in ".!?" or "\n" in source.masked[len(before) : start]
        if asks and begins and words.asks(clause) and len(words.WORD.findall(clause)) <= _SHORT_QUESTION:
            # A question mark within the passage, and none behind the question.
            return (start, end)
    if asks:
        return asks[-1]
    for (start, end), _ in cut(source):
        clause = source.masked[start:end]
        if end - start < 300 and (words.opens_request(clause) or _ASKING_WORD.match(clause)):
            return (start, end)
    return None


def _edges(parts: Sequence[tuple[Stretch, str]]) -> Sequence[tuple[Stretch, str]]:
    """The last part and the first."""
    return [parts[-1], parts[0]] if parts else []


def core(source: Source, asked: Stretch) -> Value:
    """The question without "according to this text,"."""
    about = _ABOUT_PASSAGE.match(source.masked, *asked)
    start = about.end() if about and about.end() < asked[1] else asked[0]
    start = after_politeness(source, start, asked[1])
    last = _ABOUT_PASSAGE_LAST.search(source.masked, start, asked[1])
    return trimmed(source.text, start, last.start() if last else asked[1]) or (asked,)


def after_politeness(source: Source, start: int, end: int) -> int:
    """Where a question begins behind "could you please tell me"."""
    polite = _POLITE.match(source.masked, start, end)
    return polite.end() if polite else start


def passage_around(source: Source, asked: Stretch) -> Value | None:
    """The passage: the longer side of the question, without a heading such as "Read this text:"."""
    sides = [
        _without_heading(source, 0, asked[0]),
        _without_heading(source, asked[1], len(source.text)),
    ]
    start, end = max(sides, key=lambda side: len(source.text[slice(*side)].strip()))
    end = _without_announcement(source, start, end)
    if _LETTERED.match(source.masked[start:end].lstrip()):
        return None
    quoted = source.inside(start, end)
    closes = len(quoted) == 1 and not words.WORD.search(source.masked, quoted[0].end, end)
    if closes and len(words.WORD.findall(source.masked[start:end])) <= 12:
        return quoted[0].value
    value = unruled(source, start, end)
    if value is None or len(words.WORD.findall(source.read_value(value))) < 4:
        return None
    return value


def _without_announcement(source: Source, start: int, end: int) -> int:
    """The end of a passage before "from the text above:", "Q:" and thanks."""
    parts = cut(source, start, end)
    while len(parts) > 1:
        begin, stop = parts.pop()[0]
        last = source.masked[begin:stop]
        announces = source.masked[begin:end].rstrip().endswith((":", ","))
        if not words.is_courtesy(last) and not (
            announces and (_ABOUT_PASSAGE.match(last) or _LABEL.fullmatch(last))
        ):
            break
        end = begin
    return end


def _without_heading(source: Source, start: int, end: int) -> Stretch:
    label = _PASSAGE_LABEL.match(source.masked, start, end)
    if label:
        return (label.end(), end)
    for (_, stop), ends in cut(source, start, end):
        heading = source.masked[start:stop]
        announces = words.opens_request(heading) or words.points(heading) or words.points_at_text(heading)
        says_so = ":" in ends or ("\n" in source.masked[stop : stop + 4] and _TASK.search(heading))
        if len(words.WORD.findall(heading)) > _LONGEST_HEADING or not (
            words.is_courtesy(heading) or (announces and says_so)
        ):
            break
        start = stop + 1
    return (start, end)
