"""How the shipped skills do on what ordinary people write: `python benchmarks/quality/everyday.py [APPLICATION …]`.

Functional tests in the manner of CheckList (Ribeiro et al. 2020, arXiv 2005.04118) and, for cyberbullying, HateCheck
(Röttger et al. 2021, arXiv 2012.15606): everyday/<application>.jsonl holds rows by kind, written with a language model
and looked at by nobody who trains. No adapter has seen them. They are easier than the data sets in some ways and quite
unlike them: that is the point. Answers are those of the adapters, without abstention.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from assistant_plugins.error_detection.edits import applied

from assistant.applications import Application, Payload, Request, Spans
from assistant.engine.base import Choice, Engine, text_or_pair
from assistant.engine.encoder import EncoderEngine
from assistant.plugins import PluginManager
from assistant.settings import Settings
from assistant.workshop.objectives import mean_metric
from assistant.workshop.objectives.extract import answer_f1

ROWS = Path(__file__).with_name("everyday")
Row = Mapping[str, Any]
# For each row how good the answer is, in [0, 1], and the answer.
Answers = Sequence[tuple[float, str]]


def right_labels(rows: Sequence[Row], application: Any, engine: Engine) -> Answers:
    """Right labels."""
    texts = [text_or_pair([row[field] for field in application.fields]) for row in rows]
    found = engine.classify(texts, application.adapter)
    return [(each.label == row["label"], each.label) for each, row in zip(found, rows, strict=True)]


def cyberbullying(rows: Sequence[Row], application: Any, engine: Engine) -> Answers:
    """Whether it is bullying at all, of whatever kind."""
    found = engine.classify([row["text"] for row in rows], application.adapter)
    none = "not_cyberbullying"
    return [
        ((each.label == none) == (row["label"] == none), each.label)
        for each, row in zip(found, rows, strict=True)
    ]


def commonsense(rows: Sequence[Row], application: Any, engine: Engine) -> Answers:
    """Right choices."""
    asked = [Choice(row["question"], tuple(row["choices"])) for row in rows]
    found = [max(range(len(p)), key=p.__getitem__) for p in engine.choose(asked, application.adapter)]
    return [(best == row["answer"], row["choices"][best]) for best, row in zip(found, rows, strict=True)]


def question_answering(rows: Sequence[Row], application: Any, engine: Engine) -> Answers:
    """F1 of SQuAD; no answer is right where there is none."""
    found = engine.extract([(row["question"], row["context"]) for row in rows], application.adapter)
    answers = [row["context"][spans[0].start : spans[0].end] for row, spans in zip(rows, found, strict=True)]
    return [
        (max(answer_f1(answer, gold) for gold in row["answers"] or [""]), answer)
        for answer, row in zip(answers, rows, strict=True)
    ]


def error_detection(rows: Sequence[Row], application: Any, engine: Engine) -> Answers:
    """Texts that are corrected just so; a clean text stays."""
    found = application.corrected([row["text"] for row in rows], engine)
    corrected = [applied(row["text"], edits) for row, edits in zip(rows, found, strict=True)]
    return [(text == row["corrected"], text) for text, row in zip(corrected, rows, strict=True)]


def summarization(rows: Sequence[Row], application: Application, engine: Engine) -> Answers:
    """Whether the one sentence that must be there is among two."""
    answers = []
    for row in rows:
        payload = Payload({"text": row["text"]}, {"sentences": "2"})
        parts = application.answer(Request("in two sentences", payload=payload), engine)
        spans = [span for part in parts if isinstance(part, Spans) for span in part.spans]
        chosen = [row["text"][span.start : span.end].strip() for span in spans]
        answers.append((float(any(row["must"].strip() in each for each in chosen)), " / ".join(chosen)))
    return answers


MEASURES: dict[str, Callable[[Sequence[Row], Any, Engine], Answers]] = {
    "sentiment": right_labels,
    "nli": right_labels,
    "cyberbullying": cyberbullying,
    "commonsense": commonsense,
    "question-answering": question_answering,
    "error-detection": error_detection,
    "summarization": summarization,
}


def main() -> None:
    """Print a line per application, and one per kind of row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("applications", nargs="*", metavar="APPLICATION", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--errors", action="store_true", help="print what went wrong")
    given = parser.parse_args()
    engine = EncoderEngine()
    applications = PluginManager(Settings.from_environment()).applications
    for name in given.applications or MEASURES:
        rows = [
            json.loads(line) for line in (ROWS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        answers = MEASURES[name](rows, applications[name], engine)
        by_kind = defaultdict(list)
        for row, (score, answer) in zip(rows, answers, strict=True):
            by_kind[row.get("kind", "")].append(score)
            if given.errors and score < 1:
                print(f"    {json.dumps(row, ensure_ascii=False)}\n      {answer!r}")
        metric = mean_metric(np.array([score for score, _ in answers], float))
        print(f"{name:20} {len(rows):4} rows  {metric.value:.3f}  [{metric.low:.3f}, {metric.high:.3f}]")
        for kind, scores in by_kind.items():
            if kind:
                print(f"    {kind:50} {len(scores):4}  {sum(scores) / len(scores):.2f}")


if __name__ == "__main__":
    main()
