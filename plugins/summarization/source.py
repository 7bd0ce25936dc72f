"""Where the text of a summary comes from, and how much of it is shown with the chosen sentences marked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise

from assistant import Citation, Document, Payload, Request, Span, Spans, Stretch

# Characters. A longer source is shown only around its chosen sentences, and so much of it at most.
MAX_SHOWN = 6_000
GAP = "\n[…]\n"
LABEL = "summary"


def joined(documents: Sequence[Document]) -> str:
    """All documents as one text, as a payload holds them."""
    return "\n\n".join(document.text for document in documents).strip()


def messages_about(text: str, request: Request, application: str) -> list[tuple[str, Mapping[str, str]]]:
    """What the conversation's messages say about this text, the current one last, each with its payload's options."""
    turns = [
        (asked.text, answered.payload)
        for asked, answered in pairwise(request.history)
        if asked.role == "user" and answered.application == application and answered.payload
    ]
    turns = [(message, payload) for message, payload in turns if payload.text("text").strip() == text]
    now = (request.message, request.payload or Payload({}))
    return [(instruction(message, text), payload.options) for message, payload in (*turns, now)]


def instruction(message: str, text: str) -> str:
    """What the message says around the text. A text that is not in it was attached or sent before."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # Only first and last line: a quoted block has a mark before each.
    start, end = (message.find(lines[0]), message.rfind(lines[-1])) if lines else (-1, -1)
    if start < 0 or end < 0:
        return message
    return f"{message[:start]} {message[end + len(lines[-1]) :]}"


def citations(request: Request, text: str, chosen: Sequence[Stretch]) -> list[Citation]:
    """The page of each chosen sentence, when the text is the attached documents' and they have several pages."""
    pages = [
        (document.name, number, page)
        for document in request.documents
        for number, page in enumerate(document.pages, start=1)
    ]
    if len(pages) < 2 or joined(request.documents) != text:
        return []
    whole = "\n\n".join(page for _, _, page in pages)
    position = len(whole.lstrip()) - len(
        whole
    )  # of the first page, before the text when it begins with white space
    starts = []
    for _, _, page in pages:
        starts.append(position)
        position += len(page) + len("\n\n")
    found = [(pages[bisect_right(starts, start) - 1], text[start:end]) for start, end in chosen]
    return [Citation(name, number, plain(quote)) for (name, number, _), quote in found]


def highlighted(text: str, sentences: Sequence[Stretch], weights: Mapping[int, float], title: str) -> Spans:
    """The text with the sentences marked whose positions have a weight; of a long text only what is around them."""
    if len(text) <= MAX_SHOWN:
        return Spans(text, tuple(Span(*sentences[i], LABEL, weight) for i, weight in weights.items()), title)
    shown, spans = "", []
    for run in _runs(sentences, sorted(weights)):
        start, end = sentences[run[0]][0], sentences[run[-1]][1]
        shown += GAP * bool(shown) + text[start:end]
        shift = len(shown) - end
        spans += [
            Span(sentences[i][0] + shift, sentences[i][1] + shift, LABEL, weights[i])
            for i in run
            if i in weights
        ]
    return Spans(shown, tuple(spans), title)


def _runs(sentences: Sequence[Stretch], chosen: Sequence[int]) -> list[list[int]]:
    """The chosen sentences with one before and one after each, as runs of positions; MAX_SHOWN characters at most,
    but at least the first of them."""
    runs: list[list[int]] = []
    last, length = -1, 0
    for i in chosen:
        window = [j for j in (i - 1, i, i + 1) if last < j < len(sentences)]
        length += sum(sentences[j][1] - sentences[j][0] for j in window)
        if runs and length > MAX_SHOWN:
            break
        for j in window:
            if runs and j == last + 1:
                runs[-1].append(j)
            else:
                runs.append([j])
            last = j
    return runs


def plain(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())
