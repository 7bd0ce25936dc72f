"""What every engine has to do, as tests: subclass `EngineConformance` beside two fixtures.

`engine` is the engine; `adapter_for` is a function from an operation to an adapter folder for it (None: none
is at hand, and the tests of that operation are skipped). `tolerance` is how far two runs of the same input
may lie apart when they ran in different batches.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, get_args

import pytest

from assistant.engine.base import Choice, Classification, Engine, Extraction, HeadAnswer, Operation, Tag
from assistant.errors import AdapterError, UnsupportedTask

AdapterFor = Callable[[Operation], "Path | None"]

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
# A probability that leaves no other answer a chance.
CLEAR = 0.8
BATCHED = tuple(operation for operation in OPERATIONS if operation != "generate")

TEXTS = (
    "The plot dragged, but the actors saved it.",
    "",
    "   ",
    "one",
    "Olá, ação! 日本語 مرحبا 👩‍👩‍👧 e\u0301",
    "Half of an emoji \ud83d and the rest.",
    "null\x00 bell\x07 escape\x1b[31m line\u2028separator \u202eright to left",
    "<script>alert(1)</script> [CLS] [SEP] [MASK] ![x](http://example.org)",
    "A long sentence that goes on. " * 400,
)

# What the texts become for each operation.
INPUTS: dict[Operation, list[Any]] = {
    "classify": [*TEXTS, ("A man sleeps.", "Nobody sleeps."), ("", ""), (TEXTS[-1], TEXTS[-1])],
    "choose": [Choice(text, ("because it rained", "", text)) for text in TEXTS]
    + [Choice("why?", ("a", "b"))],
    "tag": list(TEXTS),
    "extract": [*(("Who saved the plot?", text) for text in TEXTS), *((text, TEXTS[0]) for text in TEXTS)],
    "rank": [list(TEXTS), [TEXTS[0]], [], ["", ""]],
    "multitask": list(TEXTS),
    "embed": list(TEXTS),
}


class EngineConformance:
    """The conformance suite. Every assertion holds for any model, whatever it has learned."""

    tolerance = 1e-6

    @pytest.fixture(params=BATCHED)
    def operation(self, request: pytest.FixtureRequest, engine: Engine, adapter_for: AdapterFor) -> Operation:
        """Each operation that the engine lists and that an adapter is at hand for; the other tests follow."""
        operation: Operation = request.param
        self.require(engine, adapter_for, operation)
        return operation

    def require(self, engine: Engine, adapter_for: AdapterFor, operation: Operation) -> None:
        if operation not in engine.operations:
            pytest.skip(f"the engine does not {operation}")
        if operation not in ("embed", "generate") and adapter_for(operation) is None:
            pytest.skip(f"no adapter to {operation} with")

    def results(
        self, engine: Engine, operation: Operation, inputs: list[Any], adapter_for: AdapterFor
    ) -> list[Any]:
        if operation == "embed":
            return list(engine.embed(inputs))
        answers: list[Any] = getattr(engine, operation)(inputs, adapter_for(operation))
        return answers

    def test_says_what_it_is(self, engine: Engine) -> None:
        assert engine.info.name
        assert len(engine.info.sha256) == 64
        assert engine.info.parameters >= 0
        assert engine.info.bytes >= 0
        assert engine.operations <= set(OPERATIONS)

    def test_refuses_an_operation_that_it_does_not_list(self, engine: Engine, tmp_path: Path) -> None:
        for operation in set(OPERATIONS) - engine.operations:
            arguments = {"embed": ([],), "generate": ("prompt",)}.get(operation, ([], tmp_path))
            with pytest.raises(UnsupportedTask, match=operation):
                list(getattr(engine, operation)(*arguments))

    def test_refuses_a_folder_that_is_not_there(
        self, engine: Engine, operation: Operation, tmp_path: Path
    ) -> None:
        missing = tmp_path / "missing"
        with pytest.raises(AdapterError, match="missing"):
            engine.adapter(missing)
        if operation != "embed":
            with pytest.raises(AdapterError, match="missing"):
                getattr(engine, operation)(INPUTS[operation][:1], missing)

    def test_reads_an_adapter(self, engine: Engine, operation: Operation, adapter_for: AdapterFor) -> None:
        if (folder := adapter_for(operation)) is None:
            pytest.skip(f"{operation} takes no adapter")
        info = engine.adapter(folder)
        assert info == engine.adapter(folder)
        assert info.path == folder
        assert info.name
        assert 0.0 <= info.threshold <= 1.0
        if operation in ("classify", "tag"):
            assert len(set(info.labels)) == len(info.labels) >= 2

    def test_an_empty_list_gives_an_empty_list(
        self, engine: Engine, operation: Operation, adapter_for: AdapterFor
    ) -> None:
        assert self.results(engine, operation, [], adapter_for) == []

    def test_every_input_gets_an_answer_of_the_right_form(
        self, engine: Engine, operation: Operation, adapter_for: AdapterFor
    ) -> None:
        inputs = INPUTS[operation]
        answers = self.results(engine, operation, inputs, adapter_for)
        assert len(answers) == len(inputs)
        for given, answer in zip(inputs, answers, strict=True):
            getattr(self, f"check_{operation}")(engine, given, answer, adapter_for)

    def check_classify(self, engine: Engine, _: Any, answer: Classification, adapter_for: AdapterFor) -> None:
        folder = adapter_for("classify")
        assert folder
        assert answer.labels == engine.adapter(folder).labels
        check_distribution(answer.probabilities, len(answer.labels))

    def check_choose(self, _: Engine, given: Choice, answer: tuple[float, ...], __: AdapterFor) -> None:
        check_distribution(answer, len(given.options))

    def check_tag(self, engine: Engine, text: str, answer: tuple[Tag, ...], adapter_for: AdapterFor) -> None:
        folder = adapter_for("tag")
        assert folder
        self.check_tags(text, answer, engine.adapter(folder).labels)

    def check_multitask(
        self, engine: Engine, text: str, answer: dict[str, HeadAnswer], adapter_for: AdapterFor
    ) -> None:
        folder = adapter_for("multitask")
        assert folder
        assert tuple(answer) == engine.adapter(folder).labels
        for name, said in answer.items():
            labels = engine.adapter(folder / name).labels
            if isinstance(said, Classification):
                assert said.labels == labels
                check_distribution(said.probabilities, len(labels))
            else:
                self.check_tags(text, said, labels)

    def test_a_head_says_the_same_alone(self, engine: Engine, adapter_for: AdapterFor) -> None:
        self.require(engine, adapter_for, "multitask")
        folder = adapter_for("multitask")
        assert folder
        inputs = TEXTS[:-1]  # the last one is read in windows to tag, but cut to classify
        for name in engine.adapter(folder).labels:
            together = [answer[name] for answer in engine.multitask(inputs, folder)]
            alone = engine.classify if isinstance(together[0], Classification) else engine.tag
            for said, wanted in zip(together, alone(inputs, folder / name), strict=True):
                self.same(said, wanted)

    def check_tags(self, text: str, answer: tuple[Tag, ...], labels: tuple[str, ...]) -> None:
        end = 0
        for tag in answer:
            assert end <= tag.start < tag.end <= len(text)
            assert tag.label in labels
            assert 0.0 <= tag.probability <= 1.0 + 1e-6
            end = tag.end
        if any(character.isalnum() for character in text):
            assert answer

    def check_extract(
        self, _: Engine, given: tuple[str, str], answer: tuple[Extraction, ...], __: AdapterFor
    ) -> None:
        assert answer
        assert sum(found.start == found.end for found in answer) <= 1
        for found in answer:
            assert 0 <= found.start <= found.end <= len(given[1])
            assert 0.0 <= found.probability <= 1.0 + 1e-6
        probabilities = [found.probability for found in answer]
        assert probabilities == sorted(probabilities, reverse=True)

    def check_rank(self, _: Engine, sentences: list[str], answer: tuple[float, ...], __: AdapterFor) -> None:
        assert len(answer) == len(sentences)
        assert all(math.isfinite(score) for score in answer)

    def check_embed(self, _: Engine, __: str, answer: Any, ___: AdapterFor) -> None:
        assert answer.dtype.name == "float32"
        assert answer.ndim == 1
        assert float((answer.astype("float64") ** 2).sum()) == pytest.approx(1.0, abs=1e-3)

    def test_embeddings_are_one_array(self, engine: Engine, adapter_for: AdapterFor) -> None:
        self.require(engine, adapter_for, "embed")
        array = engine.embed(TEXTS)
        assert array.ndim == 2
        assert len(array) == len(TEXTS)
        assert engine.embed([]).shape == (0, array.shape[1])

    def test_the_same_input_gives_the_same_answer(
        self, engine: Engine, operation: Operation, adapter_for: AdapterFor
    ) -> None:
        inputs = INPUTS[operation]
        first = self.results(engine, operation, inputs, adapter_for)
        assert flat(self.results(engine, operation, inputs, adapter_for)) == flat(first)

    def test_a_batch_answers_like_one_at_a_time_and_in_order(
        self, engine: Engine, operation: Operation, adapter_for: AdapterFor
    ) -> None:
        inputs = INPUTS[operation]
        together = self.results(engine, operation, inputs, adapter_for)
        for given, answer in zip(inputs, together, strict=True):
            (alone,) = self.results(engine, operation, [given], adapter_for)
            self.same(answer, alone)

    def test_threads_with_different_adapters_get_their_own_answers(
        self, engine: Engine, adapter_for: AdapterFor
    ) -> None:
        usable = [o for o in BATCHED if o in engine.operations and (o == "embed" or adapter_for(o))]
        jobs = [usable[i % len(usable)] for i in range(8)]
        alone = {o: self.results(engine, o, INPUTS[o], adapter_for) for o in usable}
        start = Barrier(len(jobs))

        def run(operation: Operation) -> list[Any]:
            start.wait(timeout=30)
            return self.results(engine, operation, INPUTS[operation], adapter_for)

        with ThreadPoolExecutor(len(jobs)) as pool:
            for operation, answers in zip(jobs, pool.map(run, jobs), strict=True):
                for answer, expected in zip(answers, alone[operation], strict=True):
                    self.same(answer, expected)

    def test_generates_piece_by_piece(self, engine: Engine, adapter_for: AdapterFor) -> None:
        self.require(engine, adapter_for, "generate")
        for prompt in TEXTS:
            pieces = list(engine.generate(prompt, adapter_for("generate"), max_tokens=8))
            assert len(pieces) <= 8
            assert all(isinstance(piece, str) for piece in pieces)
        assert list(engine.generate(TEXTS[0], max_tokens=0)) == []

    def test_generating_can_be_stopped(self, engine: Engine, adapter_for: AdapterFor) -> None:
        self.require(engine, adapter_for, "generate")
        pieces = engine.generate(TEXTS[-1], adapter_for("generate"))
        next(pieces)
        pieces.close()  # type: ignore[attr-defined]
        assert list(pieces) == []

    def same(self, answer: Any, expected: Any) -> None:
        """Equal but for rounding, which may put one of two spans, or labels of a word, that are about as good in the
        other's place."""
        if isinstance(answer, dict):
            assert list(answer) == list(expected)
            for name, said in answer.items():
                self.same(said, expected[name])
            return
        if isinstance(answer, tuple) and answer and isinstance(answer[0], Extraction):
            # Where many are about as good, rounding decides which words belong together; what is clear stays.
            for span in expected:
                if span.start == span.end or span.probability > CLEAR:
                    assert of_place(answer, span) == pytest.approx(span.probability, abs=self.tolerance)
            return
        if isinstance(answer, tuple) and answer and isinstance(answer[0], Tag):
            assert [(tag.start, tag.end) for tag in answer] == [(tag.start, tag.end) for tag in expected]
            for tag, wanted_tag in zip(answer, expected, strict=True):
                # A label that won by less than rounding may lose by it; its probability tells.
                assert tag.probability == pytest.approx(wanted_tag.probability, abs=self.tolerance)
            return
        for a, b in zip(flat(answer), flat(expected), strict=True):
            assert a == (pytest.approx(b, abs=self.tolerance) if isinstance(b, float) else b)


def of_place(answers: tuple[Extraction, ...], span: Extraction) -> float:
    """The probability of the answer that stands where `span` does, with more words or fewer; of one that is not there,
    0."""
    if span.start == span.end:
        return next((each.probability for each in answers if each.start == each.end), 0.0)
    spans = [each for each in answers if each.start < each.end]
    same = (each.probability for each in spans if each.start < span.end and each.end > span.start)
    return next(same, 0.0)


def check_distribution(probabilities: tuple[float, ...], length: int) -> None:
    assert len(probabilities) == length
    assert all(0.0 <= p <= 1.0 + 1e-6 for p in probabilities)
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-4)


def flat(value: Any) -> list[Any]:
    """The leaves of an answer (numbers, texts) in order."""
    if isinstance(value, str | int | float):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    elif hasattr(value, "__dataclass_fields__"):
        value = [getattr(value, name) for name in value.__dataclass_fields__]
    elif hasattr(value, "tolist"):
        value = value.tolist()
        return value if isinstance(value, list) else [value]
    return [leaf for item in value for leaf in flat(item)]
