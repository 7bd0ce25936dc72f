"""Lines that say which field they hold: `Premise: …`, `Text 1: …`, `A) …`, `P: …`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.payload import words
from assistant.payload.clauses import cut
from assistant.payload.source import Finding, Source, Stretch, Value

# What people write for a field's name. A name that is missing here stands for itself.
_SYNONYMS = {
    "premise": "premise|premissa|text|texto|passage|fact|facto|fato|context|contexto|evidence|given|t|p",
    "hypothesis": "hypothesis(?: to test)?|hipótese|claim|statement|conclusion|conclusão|h",
    "question": "question|pergunta|questão|q",
    "context": "context|contexto|passage|passagem|text|texto|paragraph|parágrafo|article|artigo|document|c",
    "choices": "choices|options|answers|candidates|opções|alternativas|escolhas",
    "text": "text|texto|input|sentence|frase|review|comment|tweet|message|post",
}
_COUNTED = r"(?:text|sentence|statement|phrase|claim|texto|frase|afirmação)\s*"
_FIRST = rf"(?:{_COUNTED})?(?:1|a|i)|first(?: one)?|primeir[oa]"
_SECOND = rf"(?:{_COUNTED})?(?:2|b|ii)|second(?: one)?|segund[oa]"
_LONGEST_QUESTION = 16  # words, behind the last field
_BEFORE = r"(?:^|(?<=[\n.?!;,\ue000:]))[ \t]{0,8}[-*•(\[]?[ \t]{0,8}"


def labelled(source: Source, fields: Sequence[str]) -> Finding | None:
    """All fields, each after its name; in any order."""
    names = [_SYNONYMS.get(name, re.escape(name.replace("_", " "))) for name in fields]
    labels = [rf"(?:the\s+)?(?:{name})(?:\s*\d)?" for name in names]
    found = _between_labels(source, fields, labels, r"[ \t]*[:=][ \t]*\s?")
    if found is None and len(source.containers) == 1 and len(source.containers[0].value) == 1:
        # All of them may stand in a fence or in quotes, below or above the instruction.
        ((start, end),) = source.containers[0].value
        inner = labelled(Source.read(source.text[start:end]), fields)
        return inner.moved(source, start) if inner else None
    return replace(found, labelled=True) if found else None


def counted(source: Source, fields: Sequence[str]) -> Finding | None:
    """Two fields after "Text 1:" and "Text 2:", "A)" and "B)", "First:" and "Second:"."""
    if len(fields) != 2:
        return None
    found = _between_labels(source, fields, [_FIRST, _SECOND], r"[ \t]*[:=.)\]][ \t]*\s?")
    if found is None:
        return None
    (first,), (second,) = (found.fields[name] for name in fields)
    # A word or two without a full stop is a choice, and no statement.
    texts = [source.read_value(value) for value in (first, second)]
    words_only = any(
        len(words.WORD.findall(text)) < (2 if text.endswith((".", "!")) else 3) for text in texts
    )
    return found if first[0][0] < second[0][0] and not words_only else None


def half_labelled(source: Source, fields: Sequence[str]) -> Finding | None:
    """Two fields of which only the second is named: "The sky is clear. Hypothesis: It rains."."""
    first, second = fields
    names = [name for name in _SYNONYMS.get(second, re.escape(second)).split("|") if len(name) > 1]
    found = _between_labels(source, [second], [f"(?:{'|'.join(names)})"], r"[ \t]*[:=][ \t]*\s?")
    if found is None:
        return None
    (value,) = found.fields[second]
    label = re.compile(rf"\b(?:{'|'.join(names)})[ \t]*[:=][ \t]*\s?", re.I)
    marks = [mark for mark in label.finditer(source.masked) if mark.end() <= value[0][0]]
    begin = 0
    for (start, end), ends in cut(source, 0, marks[-1].start()) if marks else ():
        clause = source.masked[start:end]
        if not (words.is_courtesy(clause) or ":" in ends or words.opens_request(clause)):
            begin = start
            break
    rest = source.value(begin, marks[-1].start()) if marks else None
    if rest is None or len(words.WORD.findall(source.read_value(rest))) < 2:
        return None
    return Finding(source, {first: (rest,), second: (value,)}, explicit=True)


def _between_labels(
    source: Source, fields: Sequence[str], labels: Sequence[str], close: str
) -> Finding | None:
    marks: list[tuple[int, int, str]] = []
    for name, label in zip(fields, labels, strict=True):
        pattern = re.compile(rf"{_BEFORE}(?P<label>\b(?:{label})\b){close}", re.I)
        loose = re.compile(rf"(?:^|[\s,;(])(?P<label>(?:{label})){close}(?=\S)", re.I)
        quoted = re.compile(rf"\b(?P<label>{label})[ \t:=]*(?=\ue000)", re.I)
        taken = [mark[:2] for mark in marks]
        match = next(
            (
                hit
                for candidate in (pattern, loose, quoted)
                for hit in candidate.finditer(source.masked)
                if not any(start <= hit.start("label") < end for start, end in taken)
            ),
            None,
        )
        if match is None:
            return None
        marks.append((match.start("label"), match.end(), name))
    marks.sort()
    values: dict[str, tuple[Value, ...]] = {}
    for position, (_, begin, name) in enumerate(marks):
        last = position == len(marks) - 1
        end = len(source.text) if last else marks[position + 1][0]
        value = source.value(*_field_end(source, begin, end, last), "" if last else ",;-([")
        if value is None:
            return None
        values[name] = (value,)
    return Finding(source, values, explicit=True)


def _field_end(source: Source, begin: int, end: int, last: bool) -> Stretch:
    """A field ends before the next label; the last one at a blank line, or before a question or a new line
    that is about the texts."""
    quoted = source.inside(begin, end)
    if quoted and not source.masked[begin : quoted[0].start].strip():
        return (begin, quoted[0].end)
    if not last:
        return (begin, end)
    blank = re.compile(r"\n\s*\n").search(source.masked, begin, end)
    if blank and source.masked[blank.end() : end].strip():
        end = blank.start()
    tail = source.masked[begin:end]
    starts = [word.start() for word in words.WORD.finditer(tail)]
    short = starts[-_LONGEST_QUESTION - 1] if len(starts) > _LONGEST_QUESTION else -1
    for gap in (*re.finditer(r"\n", tail), *re.finditer(r"(?<=[.!?])\s+", tail)):
        rest = tail[gap.end() :].strip() if gap.end() > short else ""
        if rest and (rest.endswith("?") or ("\n" in gap[0] and words.opens_request(rest))):
            return (begin, begin + gap.start())
    return (begin, end)
