"""Which part of a message is the text to work on.

The finder goes by the shape of an application's fields, never by the application:

    one field                 text            assistant.payload.clauses
    two fields                given, derived  assistant.payload.pairs
    question and context                      assistant.payload.questions
    question and choices                      assistant.payload.choices
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.applications import Application, FieldValue, Payload, Request
from assistant.payload import words
from assistant.payload.choices import find_question_and_choices
from assistant.payload.clauses import finding_of_text
from assistant.payload.edges import settled
from assistant.payload.language import guess_language
from assistant.payload.pairs import find_pair
from assistant.payload.questions import find_question_and_context
from assistant.payload.reader import MessageReader
from assistant.payload.source import Finding, Source

__all__ = ["MessageReader", "find", "find_payload", "options"]

_SEVERAL = frozenset({"choices"})
_LENGTHS = (
    (
        "short",
        r"\b(?:short(?:er|ly)?|brief(?:ly)?|concise(?:ly)?|"
        r"(?:fewer|less|menos) (?:words|text|palavras|texto)|in (?:one|a single|1) sentence|tl;?dr|"
        r"curt[oa]|breve|mais curto|numa frase|em uma frase)\b",
    ),
    ("long", r"\b(?:long(?:er)?|detailed|in detail|thorough(?:ly)?|mais longo|detalhad[oa])\b"),
)


def find(
    source: Source,
    fields: Sequence[str],
    cues: Sequence[str] = (),
    named: bool = False,
    reader: MessageReader | None = None,
) -> Finding | None:
    """Where a message holds the given fields; None when it does not.

    `cues` are the words that make a clause an instruction. `named` says that the message is known to be for this
    application, so that text without an instruction is all payload. A `reader`, if there is one, has the
    last word on an English message that does not name its fields itself.
    """
    ruled = _ruled(source, fields, cues, named)
    ruled = settled(ruled) if ruled and not named else ruled
    # The adapter's base reads English only.
    if reader is None or named or (ruled and ruled.labelled) or guess_language(source.text) != "en":
        return ruled
    found = reader.find(source, fields, ruled)
    return settled(found) if found else None


def _ruled(source: Source, fields: Sequence[str], cues: Sequence[str], named: bool) -> Finding | None:
    """What the shape of the message itself shows."""
    if "question" in fields and "choices" in fields:
        context = "context" if "context" in fields else None
        found = find_question_and_choices(source, "question", "choices", context)
        return replace(found, asks="question") if found else None
    if "question" in fields and "context" in fields:
        found = find_question_and_context(source, "question", "context")
        return replace(found, asks="question") if found else None
    if len(fields) == 1:
        return finding_of_text(source, fields[0], cues, named)
    if len(fields) == 2:
        return find_pair(source, fields, cues, named)
    return None


def find_payload(
    message: str, application: Application, request: Request, reader: MessageReader | None = None
) -> Payload | None:
    """The part of `message` that `application` is to work on; None when there is none.

    `request` tells what the message alone does not: that the application is pinned (`request.application`),
    and the attached documents, which stand in when the message only refers to them.
    """
    source = Source.read(message)
    named = request.application == application.id
    finding = find(source, application.fields, tuple(application.cues), named, reader)
    texts: dict[str, FieldValue] = finding.texts(_SEVERAL) if finding else {}
    missing = [name for name in application.fields if name not in texts]
    if missing and request.documents:
        texts |= _from_documents(message, missing, request)
    elif finding and request.documents and len(application.fields) == 1 and _only_refers(finding):
        texts = _from_documents(message, application.fields, request)
    if any(name not in texts for name in application.fields if name != "context" or "choices" not in texts):
        return None
    ordered = {name: texts[name] for name in application.fields if name in texts}
    return Payload(ordered, options(finding.surroundings if finding else message))


def options(instruction: str) -> dict[str, str]:
    """Wishes that an instruction names, such as a length."""
    for value, pattern in _LENGTHS:
        if re.search(pattern, instruction, re.I):
            return {"length": value}
    return {}


def _only_refers(finding: Finding) -> bool:
    """Whether what looks like text is itself a request about an attached file ("make it short")."""
    message = finding.source.text
    if finding.source.containers:
        return False  # what is quoted is there to be worked on
    all_text = not words.WORD.search(finding.instruction)
    short = len(words.WORD.findall(message)) <= 20
    return all_text and short and words.opens_request(message) and words.points(message)


def _from_documents(message: str, missing: Sequence[str], request: Request) -> dict[str, FieldValue]:
    """The attached files as the missing text; a question about them is the message itself."""
    text = "\n\n".join(document.text for document in request.documents).strip()
    question = message.strip()
    if not text:
        return {}
    if len(missing) == 1:
        return {missing[0]: text}
    if set(missing) == {"question", "context"} and question:
        return {"question": question, "context": text}
    return {}
