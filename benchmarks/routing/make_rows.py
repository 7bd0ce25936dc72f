"""Make the rows that the message reader learns from: `python benchmarks/routing/make_rows.py DATA OUT`.

The messages of `messages.jsonl` with the split "build" are frames: their payloads are taken out and others, from the
data sets in DATA, put in. A frame's words of instruction stay; its quotes, line ends and case vary. OUT gets, for each
shape of payload, `message_<shape>/train.jsonl.gz` and `dev.jsonl.gz` with `text` and `tags`, and in
`message_application` `text` and `label`, the application that is meant or "none"; what is for none comes from CLINC150
as well, and from questions that lost their passage. The dev rows are of frames that train does not hold.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from assistant_plugins.analysis import Analysis

from assistant.routing.voter import none_lines
from assistant.workshop.data import Example, write_rows
from assistant.workshop.objectives import objective

MESSAGES = Path(__file__).with_name("messages.jsonl")
# The labels of a payload's parts, by the names of its fields.
SHAPES: dict[str, dict[str, str]] = {
    "text": {"text": "TEXT"},
    "pair": {"premise": "GIVEN", "hypothesis": "DERIVED"},
    "passage": {"question": "QUESTION", "context": "CONTEXT"},
    "choices": {"question": "QUESTION", "choices": "OPTION"},
}
ROWS = {"text": 18_000, "pair": 11_000, "passage": 11_000, "choices": 14_000, "application": 36_000}
NONE_SHARE = 0.3
DEV_SHARE = 0.1
# Of a shape's rows: payloads of another shape, messages without any, frames with their payload left out.
ELSEWHERE, NOTHING, LEFT_OUT = 0.15, 0.12, 0.08
LONGEST = 900  # characters
QUOTES = ('""', "''", "“”", "‘’", "«»", "``", "„“")
CLOSERS = {"“": "”", "‘": "’", "«": "»", "„": "“", '"': '"', "'": "'", "`": "`"}

Span = tuple[int, int, str]
Fill = dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """A message and where its payload stands, by label; an option begins at each of its spans."""

    message: str
    application: str
    shape: str
    spans: tuple[Span, ...]


def frames() -> Iterator[Frame]:
    """The messages of the split "build" whose payload stands in them word for word, and those without one."""
    for line in MESSAGES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["split"] != "build" or "history" in row or "documents" in row:
            continue
        payload, message = row.get("payload") or {}, row["message"]
        shape = next((s for s, names in SHAPES.items() if payload and set(payload) <= set(names)), "")
        spans = _spans(message, payload, SHAPES[shape]) if shape else []
        if spans is not None:
            yield Frame(message, row["application"], shape, tuple(spans))


def _spans(message: str, payload: Fill, labels: dict[str, str]) -> list[Span] | None:
    """None where a part is not in the message, or in the way of another one."""
    found: list[Span] = []
    for name, value in sorted(payload.items(), key=lambda item: item[0] == "question"):
        begin = 0
        for text in value if isinstance(value, list) else [value]:
            places = (m.start() for m in re.finditer(re.escape(text), message))
            free = (p for p in places if p >= begin and not _taken(found, p, p + len(text)))
            if (start := next(free, None)) is None:
                return None
            begin = start + len(text)
            found.append((start, begin, labels[name]))
    return sorted(found)


def _taken(spans: Sequence[Span], start: int, end: int) -> bool:
    return any(start < b and end > a for a, b, _ in spans)


# --- what is put in -------------------------------------------------------------------------------------------


class Fills:
    """Texts, pairs, questions with passages and with choices, from the data sets."""

    def __init__(self, data: Path, rng: random.Random) -> None:
        self.rng = rng
        read = objective("classify").read
        self.texts = {
            "sentiment": [
                *_texts(read(data / "sentiment/sst2/train.jsonl.gz", ("text",))[:20_000], 6),
                *_texts(read(data / "sentiment/tweets3/train.jsonl.gz", ("text",))[:8_000], 4),
                *_texts(read(data / "sentiment/customer_reviews/train.jsonl.gz", ("text",)), 3),
            ],
            "cyberbullying": _texts(
                read(data / "cyberbullying/wang2020/train.jsonl.gz", ("text",))[:8_000], 3
            ),
        }
        clean = [
            row["text"]
            for row in _lines(data / "grammar/clean_sentences/train.jsonl.gz")
            if row["source"] != "wiki_lowercased"
        ]
        cola = [row["text"] for row in _lines(data / "grammar/cola/train.jsonl.gz")]
        self.texts["error-detection"] = [*rng.sample(clean, 12_000), *cola]
        self.documents = [
            sentences
            for row in _lines(data / "summarization/bbc_news/train.jsonl.gz")
            if len(sentences := [s for s in row["document"].split("\n") if 20 < len(s) < 220]) > 6
        ]
        merged = data / "nli/merged/train.jsonl.gz"
        self.pairs = [
            e.texts for e in rng.sample(objective("classify").read(merged, ("premise", "hypothesis")), 20_000)
        ]
        self.passages: list[tuple[str, str]] = []
        for name in ("squad_subset_a", "squad_subset_b", "new_wiki", "reddit", "qamr"):
            self.passages += [
                (e.texts[0], e.texts[1])
                for e in objective("extract").read(data / f"qa/{name}/train.json.gz", ())[:9_000]
            ]
        self.alone = [row["text"] for row in _lines(data / "intent/clinc150/train.jsonl.gz")]
        self.alone += rng.sample([question for question, _ in self.passages], 3_000)
        self.questions = [
            row
            for name in (
                "commonsenseqa",
                "social_iqa",
                "e_care",
                "balanced_copa",
                "openbookqa",
                "arc_easy",
                "comve",
            )
            for row in list(_lines(data / f"commonsense/{name}/train.jsonl.gz"))[:3_000]
        ]

    def of(self, frame: Frame) -> Fill:
        """What takes the place of a frame's payload, by label: a text, or the texts of the options."""
        rng = self.rng
        if frame.shape == "pair":
            given, derived = rng.choice(self.pairs)
            return {"GIVEN": given, "DERIVED": derived}
        if frame.shape == "passage":
            question, context = rng.choice(self.passages)
            sentences = re.split(r"(?<=[.!?])\s+", context)
            start = rng.randrange(len(sentences))
            return {"QUESTION": question, "CONTEXT": " ".join(sentences[start : start + rng.randint(1, 5)])}
        if frame.shape == "choices":
            row = rng.choice(self.questions)
            asked = (row["context"] + " " if row["context"] else "") + row["question"]
            return {"QUESTION": asked.strip(), "OPTION": row["choices"]}
        if frame.application == "summarization" or rng.random() < 0.15:
            document = rng.choice(self.documents)
            start = rng.randrange(len(document) - 3)
            break_ = rng.choice([" ", " ", " ", "\n", "\n\n"])
            return {"TEXT": break_.join(document[start : start + rng.randint(3, 7)])}
        own = (
            frame.application
            if frame.application in self.texts and rng.random() < 0.7
            else rng.choice([*self.texts])
        )
        count = rng.choice([1, 1, 1, 2, 3])
        return {"TEXT": " ".join(rng.choice(self.texts[own]) for _ in range(count))}


def _lines(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _texts(examples: Sequence[Example], least: int) -> list[str]:
    """Texts of so many words and more, without the spaces of a tokenizer."""
    texts = (re.sub(r"\s+(?=[.,!?;:']|n't\b)", "", e.texts[0]) for e in examples)
    return [text for text in texts if least <= len(text.split()) <= 60]


# --- a frame with other words ---------------------------------------------------------------------------------


def filled(frame: Frame, fills: Fills, rng: random.Random) -> tuple[str, list[Span]]:
    """The frame's message with another payload, and where that stands now."""
    new = fills.of(frame)
    options = iter(new.get("OPTION", ()))
    pieces: list[str] = []
    spans: list[Span] = []
    at = length = 0
    for start, end, label in frame.spans:
        before, old = frame.message[at:start], frame.message[start:end]
        text = next(options, None) if label == "OPTION" else new[label]
        text = old if text is None or rng.random() < 0.15 else _like(text, old, rng)
        before, after, text = _around(before, frame.message[end : end + 1], text, rng)
        pieces += [before, text, after]
        length += len(before)
        spans.append((length, length + len(text), label))
        length += len(text) + len(after)
        at = end + len(frame.message[end : end + 1]) * (after != "")
    return "".join([*pieces, frame.message[at:]]), spans


def _like(text: str, old: str, rng: random.Random) -> str:
    """The text with the beginning and the end of the old one."""
    text = text.strip()[:LONGEST].rsplit(" ", 1)[0] if len(text) > LONGEST else text.strip()
    if "\n" in text and "\n" not in old and rng.random() < 0.5:
        text = " ".join(text.split())
    if old[-1] not in ".!?" and rng.random() < 0.7:
        text = text.rstrip(".!? ") or text
    if not text:
        return old
    if old[0].islower() and rng.random() < 0.6:
        text = text[0].lower() + text[1:]
    return text


def _around(before: str, after: str, text: str, rng: random.Random) -> tuple[str, str, str]:
    """What stands before and after a text; quotes and the ends of instructions vary."""
    opener = before[-1:]
    if CLOSERS.get(opener) == after and after:
        opening, closing = rng.choice(QUOTES) if rng.random() < 0.4 else (opener, after)
        inside = text.replace('"', "").replace("`", "").replace("\n", " ")
        if closing not in "'’":
            inside = inside.replace(closing, "")
        return before[:-1] + opening, closing, inside.strip() or text
    if match := re.search(r"(?:: ?\n*| - | -> )$", before):
        if rng.random() < 0.35:
            before = before[: match.start()] + rng.choice([": ", ":\n", ":\n\n", " - ", " -> ", ": ", " – "])
        if before.endswith("\n\n") and rng.random() < 0.2:
            text = text.replace(". ", ".\n", 1)
    return before, "", text


def without_payload(frame: Frame) -> str:
    """The instruction alone, as when the text comes later or was sent before."""
    kept, at = [], 0
    for start, end, _ in frame.spans:
        kept.append(re.sub(r"[\"'“‘«„`(\[]$|[-–>:=]+\s*$", "", frame.message[at:start]))
        at = end + (frame.message[end : end + 1] in "\"'”’»`)]" and end < len(frame.message))
    return " ".join(" ".join([*kept, frame.message[at:]]).split())


def _loosened(text: str, spans: Sequence[Span], rng: random.Random) -> str:
    """Now and then in lower case, or with two letters of the instruction exchanged; as long as before."""
    if rng.random() < 0.1 and len(text.lower()) == len(text):
        text = text.lower()
    outside = [
        i
        for i in range(len(text) - 1)
        if text[i : i + 2].isalpha() and not any(a <= i + 1 and i < b for a, b, _ in spans)
    ]
    if outside and rng.random() < 0.12:
        i = rng.choice(outside)
        text = text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return text


def row(text: str, spans: Sequence[Span]) -> dict[str, Any]:
    """A row to learn from: each word of the payload, or each sign of punctuation, with its label."""
    tags = []
    for start, end, label in spans:
        for number, word in enumerate(re.finditer(r"\w+|[^\w\s]", text[start:end])):
            begins = label == "OPTION" and number == 0
            tags.append(
                {
                    "start": start + word.start(),
                    "end": start + word.end(),
                    "label": "NEXT" if begins else label,
                }
            )
    return {"text": text, "tags": tags}


def made(
    shape: str, all_frames: Sequence[Frame], fills: Fills, rng: random.Random, count: int
) -> Iterator[dict[str, Any]]:
    """`count` rows of a shape."""
    own = [frame for frame in all_frames if frame.shape == shape]
    # What is a text to one application may be a passage to another: single texts are not held against each other.
    others = [f for f in all_frames if f.shape not in ("", shape)] if shape != "text" else []
    # A text that is there for other work than ours is left alone: it may be another plugin's payload.
    nothing = [f.message for f in all_frames if not f.shape] + none_lines()
    nothing = [line for line in nothing if not re.search(r"[:\"“‘«`\n]|(?:^|\s)'", line)]
    for _ in range(count):
        kind = rng.random()
        if kind < ELSEWHERE and others:
            text, _ = filled(rng.choice(others), fills, rng)
            spans: list[Span] = []
        elif kind < ELSEWHERE + NOTHING:
            text, spans = rng.choice(nothing), []
        elif kind < ELSEWHERE + NOTHING + LEFT_OUT:
            text, spans = without_payload(rng.choice(own)), []
        else:
            text, spans = filled(rng.choice(own), fills, rng)
        if text.strip():
            yield row(_loosened(text, spans, rng), spans)


# Whose place a text of any kind takes.
EXAMPLE = Frame("", "", "text", ())


def meant(
    all_frames: Sequence[Frame], fills: Fills, rng: random.Random, count: int
) -> Iterator[dict[str, str]]:
    """`count` rows that say which application a message is for."""
    by_application: dict[str, list[Frame]] = {}
    for frame in all_frames:
        by_application.setdefault(frame.application, []).append(frame)
    by_application[Analysis.id] = [Frame(example, Analysis.id, "text", ()) for example in Analysis.examples]
    nothing = [f.message for f in by_application.pop("none")] + none_lines()
    for _ in range(count):
        if rng.random() < NONE_SHARE:
            text = rng.choice(nothing if rng.random() < 0.6 else fills.alone)
            text = re.sub("…", lambda _: fills.of(EXAMPLE)["TEXT"], text)
            yield {"text": _loosened(text, (), rng), "label": "none"}
            continue
        frame = rng.choice(by_application[rng.choice(sorted(by_application))])
        if not frame.spans or rng.random() < LEFT_OUT:
            text, spans = without_payload(frame) if frame.spans else frame.message, []
        else:
            text, spans = filled(frame, fills, rng)
        if text.strip():
            yield {"text": _loosened(text, spans, rng), "label": frame.application}


def main() -> None:
    """Write the rows of all heads."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    rng = random.Random(0)
    found = list(frames())
    rng.shuffle(found)
    held = round(DEV_SHARE * len(found))
    fills = Fills(given.data, rng)
    parts: dict[str, tuple[Sequence[Frame], Callable[[int], int]]] = {
        "train": (found[held:], lambda rows: rows),
        "dev": (found[:held], lambda rows: rows // 20),
    }
    for shape, rows in ROWS.items():
        folder = given.out / f"message_{shape}"
        folder.mkdir(parents=True, exist_ok=True)
        for part, (chosen, size) in parts.items():
            with write_rows(folder / f"{part}.jsonl.gz") as write:
                rows_of = meant if shape == "application" else partial(made, shape)
                for each in rows_of(chosen, fills, rng, size(rows)):
                    write(each)
    print({shape: sum(f.shape == shape for f in found) for shape in ("", *SHAPES)})


if __name__ == "__main__":
    main()
