"""What an operation learns: rows are read, tokens and targets fit together, and a few steps of it are learnt."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from assistant.engine import embedded
from assistant.engine.base import AdapterInfo, Extraction, Tag
from assistant.engine.echo import EchoEngine
from assistant.engine.encoder import EncoderEngine
from assistant.engine.manifest import Manifest, Operation, read_manifest, write_manifest
from assistant.engine.spans import best_spans
from assistant.errors import DataError
from assistant.workshop.data import Example
from assistant.workshop.objectives import IGNORED, objective
from assistant.workshop.objectives.extract import answer_f1
from assistant.workshop.objectives.unanswerable import altered
from assistant.workshop.publishing import BASE, measured, publish
from assistant.workshop.recipe import Lora, Recipe, Source, Training
from assistant.workshop.training import train

SOURCE = Source(path="toy/train.jsonl", licence="none needed")


def recipe(operation: Operation, labels: tuple[str, ...] = ("yes",), **settings: Any) -> Recipe:
    training = {"epochs": 25, "batch_size": 8, "learning_rate": 3e-3, "evaluations": 2, **settings}
    return Recipe(
        application="toy",
        operation=operation,
        labels=labels,
        method=Lora(rank=4, alpha=8),
        training=Training.model_validate(training),
        train=(SOURCE,),
        dev=(SOURCE,),
    )


def written(path: Path, *rows: Mapping[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


PLACES = ["Paris", "Berlin", "Lisbon", "Madrid", "Vienna", "Oslo"]
QUESTIONS = [
    Example(("Where does Anna live?", text), ((text.index(place), text.index(place) + len(place)),))
    for place in PLACES
    for text in [f"Anna is a teacher. She lives in {place} with her dog."]
] + [Example(("Where does Anna live?", f"Peter likes the food of {place}."), ()) for place in PLACES]
CHOICES = [
    Example((f"Where do you find a {animal}?", *options), options.index("On a farm"))
    for animal in ("cow", "pig", "hen", "sheep")
    for options in (("On a farm", "In a bottle"), ("In a bottle", "On a farm"))
]
DOCUMENTS = [
    Example((f"{name} won the final match.", "The weather was mild.", "Tickets were cheap."), (1, 0, 0))
    for name in ("Brazil", "Norway", "Japan", "Ghana")
] + [
    Example(("The weather was mild.", "Tickets were cheap.", f"{name} won the final match."), (0, 0, 1))
    for name in ("Brazil", "Norway", "Japan", "Ghana")
]
TAGGED = [
    Example((f"{start} {word} old dogs.",), ((len(start) + 1, len(start) + 1 + len(word), "DELETE"),))
    for start in ("I saw", "We like", "They feed", "You know")
    for word in ("a", "an")
] + [Example((f"{start} the old dogs.",), ()) for start in ("I saw", "We like", "They feed", "You know")]


@pytest.mark.parametrize(
    ("operation", "labels", "rows", "metric"),
    [
        ("extract", ("answer",), QUESTIONS, "toy_f1"),
        ("choose", ("plausible",), CHOICES, "toy_accuracy"),
        ("rank", ("summary",), DOCUMENTS, "toy_average_precision"),
        ("tag", ("KEEP", "DELETE"), TAGGED, "toy_detection_f0.5"),
    ],
)
def test_each_operation_is_learnt_and_served(
    operation: Operation,
    labels: tuple[str, ...],
    rows: list[Example],
    metric: str,
    tmp_path: Path,
    encoder: EncoderEngine,
) -> None:
    made = recipe(operation, labels)
    model, progress = train(made, rows, rows, tmp_path / "run")
    assert progress.best_score > 0.9
    folder = tmp_path / "adapter"
    sources = [(SOURCE, rows)]
    manifest = publish(made, model, sources, sources, folder, "Toy", "make toy", 1.0)
    assert manifest.operation == operation
    assert manifest.metrics[metric] > 0.9
    again = objective(operation).measure(encoder, folder, rows).metrics
    assert again[metric.removeprefix("toy_")].value == pytest.approx(manifest.metrics[metric], abs=1e-4)


def test_answers_keep_their_place_in_windows() -> None:
    context = (
        "Filler words stand here. " * 60 + "The treasure lies under the old oak. " + "More filler. " * 60
    )
    start = context.index("under the old oak")
    example = Example(("Where does the treasure lie?", context), ((start, start + 17),))
    windows = objective("extract").encode([example], recipe("extract", max_tokens=96))
    tokenizer = embedded.tokenizer(None)
    found = [
        tokenizer.decode(w.sequences[0].ids[w.target[0] : w.target[1] + 1]) for w in windows if any(w.target)
    ]
    assert found and set(found) == {"under the old oak"}
    assert any(not any(w.target) for w in windows)
    assert all(w.width <= 96 for w in windows)


def test_negatives_come_from_a_neighbouring_context() -> None:
    contexts = ["Anna lives in Oslo.", "Peter lives in Rome.", "It rained all day."]
    examples = [
        Example(("Where does Anna live?", contexts[0]), ((14, 18),)),
        Example(("Where does Peter live?", contexts[1]), ((15, 19),)),
        Example(("What was the weather like?", contexts[2]), ((3, 9),)),
    ]
    added = objective("extract").negatives(examples, 1.0, 0)
    assert added[0] == Example(("Where does Anna live?", contexts[1]), ())
    assert all(e.label == () and e.texts[1] != old.texts[1] for e, old in zip(added, examples, strict=True))
    with pytest.raises(DataError, match="Negatives"):
        objective("rank").negatives([], 0.5, 0)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Where was Bo Lind born?", {"Where was Ada Holm born?"}),
        (
            "What stood there in 1912?",
            {f"What stood there in {1912 + by}?" for by in (-20, -10, -3, -2, -1, 1, 2, 3, 10, 20)},
        ),
        ("Which is the largest port?", {"Which is the smallest port?"}),
    ],
)
def test_questions_are_altered_in_one_place(question: str, expected: set[str]) -> None:
    context = "Since 1912 Bo Lind, born in Oslo, and the painter Ada Holm have run the largest port."
    found = set()
    for place in range(24):  # the draw depends on the place
        examples = [Example((f"filler {i}", "Nothing."), ((0, 7),)) for i in range(place)]
        added = altered([*examples, Example((question, context), ((29, 33),))], 1.0)
        found |= {e.texts[0] for e in added if e.texts[1] == context}
        assert all(e.label == () for e in added)
    changed = {text for text in found if "not" not in text and "n't" not in text and "never" not in text}
    assert changed and changed <= expected


def test_squad_answers_are_compared_as_squad_does() -> None:
    assert answer_f1("The  old oak!", "an old oak") == 1.0
    assert answer_f1("old oak tree", "old oak") == pytest.approx(0.8)
    assert answer_f1("", "") == 1.0
    assert answer_f1("oak", "") == 0.0


def test_squad_files_are_read_plain_and_packed(tmp_path: Path) -> None:
    answer = {"text": "Oslo", "answer_start": 14}
    qas = [
        {"id": "1", "question": " Where? ", "answers": [answer, answer], "is_impossible": False},
        {"id": "2", "question": "Why?", "answers": [], "is_impossible": True},
    ]
    data = {"data": [{"title": "x", "paragraphs": [{"context": "Anna lives in Oslo.", "qas": qas}]}]}
    plain, packed = tmp_path / "dev.json", tmp_path / "dev.json.gz"
    plain.write_text(json.dumps(data))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    expected = [
        Example(("Where?", "Anna lives in Oslo."), ((14, 18), (14, 18))),
        Example(("Why?", "Anna lives in Oslo."), ()),
    ]
    assert objective("extract").read(plain, ()) == objective("extract").read(packed, ()) == expected


@pytest.mark.parametrize(
    "content",
    ["[]", "{}", "no json", '{"data": [{"paragraphs": [{"context": "x", "qas": [{"question": "?", "answers": '
     '[{"text": "abc", "answer_start": 5}]}]}]}]}', '{"data": [{"paragraphs": [{"context": "x", "qas": '
     '[{"question": null, "answers": []}]}]}]}'],
)  # fmt: skip
def test_bad_squad_files_get_a_sentence(content: str, tmp_path: Path) -> None:
    path = tmp_path / "dev.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"dev\.json is no SQuAD JSON"):
        objective("extract").read(path, ())
    with pytest.raises(DataError, match="There is no file"):
        objective("extract").read(tmp_path / "absent.json", ())


@pytest.mark.parametrize("end", [-20, -8, 0])
def test_a_squad_file_that_is_cut_off_or_damaged_gets_a_sentence(end: int, tmp_path: Path) -> None:
    paragraphs = [{"context": f"Number {n}." * n, "qas": []} for n in range(200)]
    content = bytearray(gzip.compress(json.dumps({"data": [{"paragraphs": paragraphs}]}).encode()))
    path = tmp_path / "dev.json.gz"
    if end:
        path.write_bytes(content[:end])
    else:
        content[20:40] = b"\xff" * 20
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"dev\.json\.gz is no SQuAD JSON"):
        objective("extract").read(path, ())


@pytest.mark.parametrize("operation", ["classify", "choose", "extract", "rank", "tag"])
def test_half_an_emoji_in_a_row_is_learnt_around(operation: Operation, tmp_path: Path) -> None:
    half = "Half \ud83d of it."
    questions = [{"question": half, "answers": [{"text": "Half", "answer_start": 0}]}]
    rows: dict[Operation, dict[str, Any]] = {
        "classify": {"text": half, "label": "yes"},
        "choose": {"question": half, "choices": [half, "b"], "answer": 1},
        "extract": {"data": [{"paragraphs": [{"context": half, "qas": questions}]}]},
        "rank": {"document": f"{half}\nIt rained.", "summary": "It rained."},
        "tag": {"text": half, "tags": [{"start": 7, "end": 9, "label": "yes"}]},
    }
    path = written(tmp_path / "x.jsonl", rows[operation])
    task = objective(operation)
    examples = task.read(path, ("text",))
    assert any("Half ? of it." in text for text in examples[0].texts)
    assert task.encode(examples, recipe(operation, ("no", "yes")))


def test_a_choice_that_is_against_is_turned_round(tmp_path: Path) -> None:
    row = {
        "context": "",
        "question": "Against?",
        "choices": ["He ate a stone.", "He ate a pear."],
        "answer": 0,
    }
    path = written(tmp_path / "x.jsonl", row)
    assert objective("choose").read(path, (), {"answer": "against"}) == [
        Example(("Which statement makes sense?", "He ate a stone.", "He ate a pear."), 1)
    ]
    assert objective("choose").read(path, ())[0].label == 0


@pytest.mark.parametrize(
    ("operation", "row", "said"),
    [
        ("choose", {"question": "?", "choices": ["a"], "answer": 0}, "two or more"),
        ("choose", {"question": "?", "choices": ["a", "b"], "answer": 2}, "an index into the 2 choices"),
        ("choose", {"choices": ["a", "b"], "answer": 1}, "neither 'context' nor 'question'"),
        ("rank", {"document": "", "summary": "a"}, "'document' is ''"),
        ("rank", {"document": "a\nb", "summary": None}, "'summary' is None"),
        ("tag", {"text": "", "tags": []}, "'text' is ''"),
        ("tag", {"text": "a b", "tags": [{"start": 0}]}, "start, end and label"),
    ],
)
def test_bad_rows_get_a_sentence(
    operation: Operation, row: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f"Row 1 of x.jsonl: .*{said}"):
        objective(operation).read(written(tmp_path / "x.jsonl", row), ())


def test_a_tag_that_is_not_listed_is_named() -> None:
    with pytest.raises(DataError, match="SPLIT"):
        objective("tag").check([Example(("a b",), ((0, 1, "SPLIT"),))], ("KEEP", "DELETE"))


def test_tags_sit_on_the_first_token_of_their_word() -> None:
    (example,) = objective("tag").encode(
        [Example(("an extraordinarily red apple",), ((3, 18, "DELETE"),))], recipe("tag", ("KEEP", "DELETE"))
    )
    words = [label for label in example.target if label != IGNORED]
    assert words == [0, 1, 0, 0]
    assert example.target[0] == example.target[-1] == IGNORED


def test_padding_does_not_change_a_span_loss() -> None:
    task, made = objective("extract"), recipe("extract")
    short, long = task.encode(
        [QUESTIONS[0], Example((QUESTIONS[0].texts[0], QUESTIONS[0].texts[1] + " And more." * 9), ())], made
    )
    logits = torch.randn(2, long.width, 2)
    alone = task.loss(logits[:1, : short.width], [short], made.training, torch.ones(2))
    padded = task.loss(logits[:1], [short], made.training, torch.ones(2))
    assert torch.isclose(alone, padded)


class Timid(EchoEngine):
    """Finds the first word of every text, and thinks that most likely there is no answer."""

    def extract(self, inputs: Sequence[tuple[str, str]], adapter: Path) -> list[tuple[Extraction, ...]]:
        return [(Extraction(0, 0, 0.6), Extraction(0, context.index(" "), 0.4)) for _, context in inputs]


def test_the_null_bias_is_what_the_dev_rows_gain_most_by(tmp_path: Path) -> None:
    answered = [Example(("Who?", "Ada wrote it."), ((0, 3),))] * 3
    silent = [Example(("When?", "Ada wrote it."), ())] * 3
    task = objective("extract")
    # Enough to make the span likelier than silence, and no more.
    assert task.null_bias(Timid(), tmp_path, [answered]) == pytest.approx(
        math.log(0.6 / 0.4) + 0.01, abs=0.006
    )
    assert task.null_bias(Timid(), tmp_path, [silent]) == 0
    assert task.null_bias(Timid(), tmp_path, [answered, silent * 2]) == 0
    assert objective("classify").null_bias(Timid(), tmp_path, [answered]) == 0


def test_where_every_question_has_an_answer_the_best_span_counts(tmp_path: Path) -> None:
    answered = [Example(("Who?", "Ada wrote it."), ((0, 3),))] * 3
    silent = [Example(("When?", "Ada wrote it."), ())]

    def values(rows: list[Example]) -> dict[str, float]:
        metrics = objective("extract").measure(Timid(), tmp_path, rows).metrics
        return {name: metric.value for name, metric in metrics.items()}

    assert values(answered) == {"f1": 1, "exact_match": 1, "f1_unless_silent": 0}
    assert values(answered + silent) == {"f1": 0.25, "exact_match": 0.25, "f1_unanswerable": 1}


def test_a_null_bias_makes_silence_less_likely() -> None:
    encoding = embedded.tokenizer().encode("Who wrote it?", "Ada")
    logits = torch.zeros(len(encoding.ids), 2)
    logits[0] = 1.0
    window = (logits, encoding, 0)
    assert best_spans([window])[0].end == 0
    (first, *_) = best_spans([window], null_bias=3.0)
    assert (first.start, first.end) == (0, 3)


def test_spans_that_overlap_are_one_answer_with_the_probability_of_all() -> None:
    # Too far apart for one span to hold both.
    text = "Ada Lovelace wrote it," + " which surprised nobody" * 12 + " but Charles"
    encoding = embedded.tokenizer().encode("Who wrote it?", text)
    first = encoding.sequence_ids.index(1)
    tokens = encoding.tokens[first:]
    ada, charles = first, first + tokens.index("charles")
    logits = torch.full((len(encoding.ids), 2), -4.0)
    logits[ada, 0], logits[ada, 1], logits[ada + 2, 1] = 1.2, 1.2, 1.1
    logits[charles] = 1.3
    best, other, *_ = best_spans([(logits, encoding, 0)])
    # "Charles" is the likeliest span, but "Ada" and "Ada Lovelace" are together likelier, and no two alternatives.
    assert text[best.start : best.end] == "Ada"
    assert text[other.start : other.end] == "Charles"
    assert other.probability < best.probability < 2 * other.probability
    hot, *_ = best_spans([(logits, encoding, 0)], temperature=4.0)
    assert (hot.start, hot.end) == (best.start, best.end) and hot.probability < best.probability


class Marking(EchoEngine):
    """Marks every text with a probability that depends on the text; its threshold is what the manifest says."""

    def adapter(self, adapter: Path) -> AdapterInfo:
        return read_manifest(adapter).info(adapter, "lora", 0, 0)

    def tag(self, inputs: Sequence[str], adapter: Path) -> list[tuple[Tag, ...]]:
        sure = {"wrong": 0.5, "fine": 0.8, "awful": 0.9}
        return [(Tag(0, len(text), "BAD", sure[text]),) for text in inputs]


def test_every_source_is_measured_at_the_threshold_that_is_served(tmp_path: Path) -> None:
    easy = [Example(("wrong",), ((0, 5, "BAD"),))] * 10
    hard = [Example(("fine",), ())] * 9 + [Example(("awful",), ((0, 5, "BAD"),))]
    dev = [(Source(path=f"{name}/dev.jsonl", licence="x"), rows) for name, rows in (("a", easy), ("b", hard))]
    manifest = Manifest(name="x", operation="tag", base=BASE, labels=("KEEP", "BAD"))
    write_manifest(manifest, tmp_path)
    alone = measured(manifest, tmp_path, dev[:1], Marking())
    assert alone.threshold < 0.5 and alone.metrics["a_detection_recall"] == 1
    both = measured(manifest, tmp_path, dev, Marking())
    assert 0.8 < both.threshold < 0.9
    assert (both.metrics["a_detection_recall"], both.metrics["b_detection_f0.5"]) == (0, 1)
