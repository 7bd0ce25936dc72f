"""The embedded engine: it conforms, it agrees with PEFT, and rows do not see each other."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from adapter_folders import write_adapter
from engine_conformance import AdapterFor, EngineConformance

from assistant.engine import embedded
from assistant.engine.adapters import head_form
from assistant.engine.base import Engine, Operation
from assistant.engine.batching import Batcher, Item
from assistant.engine.encoder import EncoderEngine
from assistant.engine.heads import Head, save_head
from assistant.engine.manifest import read_manifest
from assistant.engine.memory import KERNELS, keep_few_kernels
from assistant.engine.quantization import (
    FloatProduct,
    Int8Linear,
    Int8Matrix,
    OneDnnProduct,
    one_dnn_is_exact,
    quantize_rows,
)
from assistant.engine.spans import windows
from assistant.errors import AdapterError, BaseModelError, EngineError
from assistant.workshop.recipe import Lora
from assistant.workshop.training import base_model

TEXTS = ["The plot dragged, but the actors saved it.", "no", "Buses run every ten minutes on weekdays. " * 5]


class TestEncoder(EngineConformance):
    # Activations are rounded to int8, and what a product is summed with depends on the batch's shape.
    tolerance = 8e-2

    @pytest.fixture
    def engine(self, encoder: EncoderEngine) -> Engine:
        return encoder

    @pytest.fixture
    def adapter_for(self, adapters: Callable[[str], Path]) -> AdapterFor:
        def folder(operation: Operation) -> Path | None:
            return None if operation in ("embed", "generate") else adapters(operation)

        return folder


class TestEncoderOfStudents(TestEncoder):
    """Adapters on the lowest layers, beside those on all."""

    @pytest.fixture
    def adapter_for(self, adapters: Callable[[str], Path]) -> AdapterFor:
        def folder(operation: Operation) -> Path | None:
            return adapters("student classify") if operation == "classify" else None

        return folder


@pytest.mark.parametrize("name", ["classify", "bottleneck", "student classify"])
def test_agrees_with_peft_on_the_same_weights(
    name: str, encoder: EncoderEngine, adapters: Callable[[str], Path]
) -> None:
    from peft import PeftModel
    from safetensors.torch import load_file

    folder = adapters(name)
    model = PeftModel.from_pretrained(base_model(read_manifest(folder).layers), folder).eval()
    head = Head("pooled", **load_file(folder / "head.safetensors"))
    for text in TEXTS:
        encoding = embedded.tokenizer().encode(text)
        ids, mask = torch.tensor([encoding.ids]), torch.tensor([encoding.attention_mask])
        with torch.inference_mode():
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
            with model.disable_adapter():
                bare = model(input_ids=ids, attention_mask=mask).last_hidden_state
            expected = torch.softmax(head(hidden, mask), -1)[0]
            without = torch.softmax(head(bare, mask), -1)[0]
        served = torch.tensor(encoder.classify([text], folder)[0].probabilities)
        assert torch.allclose(served, expected, atol=0.06)
        # The adapter does something: without it the answer is another one.
        assert (served - expected).norm() < 0.5 * (without - expected).norm()


def test_rows_with_different_adapters_answer_as_if_alone(
    encoder: EncoderEngine, tmp_path: Path, adapters: Callable[[str], Path]
) -> None:
    folders = [adapters("classify"), adapters("bottleneck"), adapters("student classify")]
    folders += [write_adapter(tmp_path / f"r{rank}", method=Lora(rank=rank), seed=rank) for rank in (1, 2, 8)]
    alone = [encoder.classify(TEXTS, folder) for folder in folders]
    with ThreadPoolExecutor(len(folders) * 3) as pool:
        together = list(pool.map(lambda folder: encoder.classify(TEXTS, folder), folders * 3))
    for expected, got in zip(alone * 3, together, strict=True):
        for a, b in zip(expected, got, strict=True):
            assert np.allclose(a.probabilities, b.probabilities, atol=TestEncoder.tolerance)
    assert not np.allclose(alone[0][0].probabilities, alone[2][0].probabilities, atol=0.05)


def test_rows_of_different_depths_never_share_a_pass() -> None:
    passes: list[list[int]] = []

    def forward(works: Sequence[int]) -> list[int]:
        passes.append(list(works))
        return list(works)

    batcher = Batcher(forward)
    depths = [6, 2, 6, 3, 2, 6]
    assert batcher.submit([Item(depth, length=5, depth=depth) for depth in depths]) == depths
    batcher.close()
    assert sorted(passes) == [[2, 2], [3], [6, 6, 6]]


def test_embeddings_are_those_of_the_base(encoder: EncoderEngine) -> None:
    a, b, c = encoder.embed(
        ["A cat sits on the mat.", "There is a cat on a mat.", "Interest rates rose again."]
    )
    assert a @ b > 0.8
    assert a @ c < 0.2


def test_least_recently_used_adapter_leaves_beyond_the_budget(
    adapters: Callable[[str], Path], tmp_path: Path
) -> None:
    engine = EncoderEngine(adapter_bytes=400_000)
    try:
        folders = [write_adapter(tmp_path / str(i), method=Lora(rank=4), seed=i) for i in range(3)]
        expected = [engine.classify(["text"], folder)[0] for folder in folders]
        assert engine.adapters.nbytes <= 400_000
        assert len(engine.adapters) < 3
        # One that left comes back unchanged.
        assert np.allclose(engine.classify(["text"], folders[0])[0].probabilities, expected[0].probabilities)
    finally:
        engine.close()


def test_a_closed_engine_says_so(adapters: Callable[[str], Path]) -> None:
    engine = EncoderEngine()
    engine.close()
    with pytest.raises(Exception, match="closed"):
        engine.embed(["text"])


def test_all_windows_of_all_questions_are_read_together(
    encoder: EncoderEngine, adapters: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = " ".join(f"Bridge {n} was opened in {1800 + n}." for n in range(120))
    inputs = [
        ("When was bridge 7 opened?", long),
        ("Who sang?", TEXTS[0]),
        ("When?", ""),
        ("Where?", long[:900]),
    ]
    alone = [encoder.extract([given], adapters("extract"))[0] for given in inputs]
    submit, handed = encoder._batcher.submit, []
    monkeypatch.setattr(encoder._batcher, "submit", lambda items: handed.append(len(items)) or submit(items))
    together = encoder.extract(inputs, adapters("extract"))
    assert len(handed) == 1 and handed[0] > len(inputs)
    for answer, expected in zip(together, alone, strict=True):
        TestEncoder().same(answer, expected)
    assert encoder.extract([], adapters("extract")) == []


def test_wrong_operation_is_refused(encoder: EncoderEngine, adapters: Callable[[str], Path]) -> None:
    with pytest.raises(AdapterError, match="trained to tag; asked to classify"):
        encoder.classify(["text"], adapters("tag"))


def test_base_with_another_sum_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"something else")
    with pytest.raises(BaseModelError, match="refused"):
        embedded.verified_weights(weights)
    with pytest.raises(BaseModelError, match="no weight file"):
        embedded.verified_weights(tmp_path / "absent")


def test_resident_weights_fit(encoder: EncoderEngine) -> None:
    assert encoder.info.bytes <= 26_000_000
    assert encoder.info.parameters == 22_713_216


def test_quantized_linear_is_close_and_row_wise() -> None:
    torch.manual_seed(0)
    weight, bias, x = torch.randn(24, 40), torch.randn(24), torch.randn(7, 40)
    linear = Int8Linear(weight, bias)
    exact = x @ quantize_rows(weight).dequantize().T + bias
    assert (linear(x) - exact).abs().max() < 0.02 * exact.abs().max()
    # A huge row does not make its neighbours coarser.
    crowded = torch.cat([x, 1000 * x[:1]])
    assert torch.equal(linear(crowded)[:7], linear(x))
    assert torch.equal(linear(torch.zeros(1, 40))[0], bias)


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize(("inputs", "outputs"), [(384, 1152), (1536, 384), (17, 5)])
def test_integer_products_are_exact(rows: int, inputs: int, outputs: int) -> None:
    torch.manual_seed(rows)
    weight = Int8Matrix(torch.randint(-127, 128, (outputs, inputs), dtype=torch.int8), torch.rand(outputs, 1))
    values = torch.randint(-127, 128, (rows, inputs)).float()
    product = (values.double() @ weight.values.double().t()).float() * weight.scale.t()
    if one_dnn_is_exact():
        assert torch.equal(OneDnnProduct(weight)(values), product)
    assert torch.allclose(
        FloatProduct(weight)(values), product, rtol=1e-4, atol=product.abs().max().item() * 1e-6
    )


def test_how_many_kernels_are_kept_is_for_the_environment_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    for said, kept in (("7", "7"), (None, str(KERNELS))):
        monkeypatch.setenv(name, said) if said else monkeypatch.delenv(name)
        keep_few_kernels()
        assert os.environ[name] == kept


def test_where_integer_products_would_saturate_they_are_taken_in_float32() -> None:
    """A CPU without VNNI, as oneDNN can be made to think that this is one."""
    code = (
        "import torch\n"
        "from assistant.engine.quantization import Int8Linear\n"
        "answer = Int8Linear(torch.ones(8, 384), torch.zeros(8))(torch.ones(2, 384))\n"
        "assert torch.allclose(answer, torch.tensor(384.0)), answer\n"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}, check=True)


def test_several_heads_take_one_forward_pass(
    encoder: EncoderEngine, adapters: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    model = encoder.model

    class Counting:
        dimensions = model.dimensions

        def __call__(self, ids: torch.Tensor, *rest: Any) -> torch.Tensor:
            passes.append(len(ids))
            return model(ids, *rest)

    monkeypatch.setattr(encoder, "model", Counting())
    encoder.multitask(["A short text."], adapters("multitask"))
    assert passes == [1]


def test_a_head_of_a_long_text_is_the_mean_of_its_windows(
    encoder: EncoderEngine, adapters: Callable[[str], Path]
) -> None:
    folder = adapters("multitask")
    text = "Buses run every ten minutes on weekdays. " * 100
    cut = [text[start:end] for start, end in windows(encoder.whole_text_tokenizer, text)]
    assert len(cut) == 2
    parts = np.array([c.probabilities for c in encoder.classify(cut, folder / "mood")])
    (answer,) = encoder.multitask([text], folder)
    assert answer["mood"].probabilities == pytest.approx(parts.mean(0), abs=1e-2)  # type: ignore[union-attr]
    with pytest.raises(AdapterError, match="trained to multitask; asked to classify"):
        encoder.classify([text], folder)


@pytest.mark.parametrize("overlap", [0, 64])
def test_windows_are_cut_between_words_and_hold_every_one(encoder: EncoderEngine, overlap: int) -> None:
    text = "a " + " ".join(["unbelievableness"] * 300)
    cut = windows(encoder.whole_text_tokenizer, text, overlap)
    assert len(cut) > 1
    for start, end in cut:
        assert set(text[start:end].split()) <= {"a", "unbelievableness"}
        assert len(encoder.tokenizer.encode(text[start:end]).ids) <= embedded.MAX_TOKENS
    assert (cut[0][0], cut[-1][1]) == (0, len(text))
    for (first, end), (start, _) in pairwise(cut):
        assert first < start <= end + 1
        assert (start == end + 1) == (overlap == 0)


def test_a_word_that_is_longer_than_a_window_is_cut(encoder: EncoderEngine) -> None:
    text = "I " + "unbelievable" * 8 + " it"
    for overlap in (0, 3):
        cut = windows(encoder.whole_text_tokenizer, text, overlap, room=8)
        assert (cut[0][0], cut[-1][1]) == (0, len(text))
        assert all(start <= end + 1 for (_, end), (start, _) in pairwise(cut))
        assert all(b > a for (a, _), (b, _) in pairwise(cut))


@pytest.mark.parametrize("word", ["unbelievableness", "x" * 120])
def test_every_word_of_a_long_text_gets_one_tag(
    word: str, encoder: EncoderEngine, adapters: Callable[[str], Path]
) -> None:
    text = "a " + " ".join([word] * 200)
    (tags,) = encoder.tag([text], adapters("tag"))
    assert [text[tag.start : tag.end] for tag in tags] == text.split()


@pytest.mark.parametrize(
    ("shares", "label", "probability"),
    [
        ((0.6, 0.3, 0.1), "no", 0.6),
        ((0.3, 0.45, 0.25), "perhaps", 0.7),
        ((0.1, 0.2, 0.7), "yes", 0.9),
        ((0.1, 0.35, 0.3, 0.25), "perhaps", 0.7),
        ((1.0,), "no", 1.0),
    ],
)
def test_what_is_no_longer_nothing_special_is_the_likeliest_of_the_rest(
    shares: tuple[float, ...], label: str, probability: float, encoder: EncoderEngine, tmp_path: Path
) -> None:
    labels = ("no", "perhaps", "yes", "certainly")[: len(shares)]
    folder = write_adapter(tmp_path / "tag", "tag", labels=labels)
    bias = torch.tensor(shares).log()
    save_head(Head(head_form("tag", 3)[0], torch.zeros(len(shares), 384), bias), folder / "head.safetensors")
    for tag in encoder.tag(["One word."], folder)[0]:
        assert (tag.label, round(tag.probability, 2)) == (label, probability)


def test_what_is_handed_over_while_it_closes_is_computed_or_refused() -> None:
    """The end is put while another thread is about to put its rows."""
    batcher: Batcher[int] = Batcher(list)
    queued, closing = batcher._queue, threading.Event()

    class Slow:
        def put(self, rows: Any) -> None:
            if rows is not None:
                # Long enough for a close that does not wait to have ended.
                closer.start()
                closing.wait(0.2)
            queued.put(rows)
            if rows is None:
                closing.set()

        def __getattr__(self, name: str) -> Any:
            return getattr(queued, name)

    results: list[int] = []
    closer = threading.Thread(target=batcher.close)
    visitor = threading.Thread(target=lambda: results.extend(batcher.submit([Item(1, 1)])), daemon=True)
    batcher._queue = Slow()  # type: ignore[assignment]
    visitor.start()
    visitor.join(30)
    assert results == [1]
    closer.join(30)
    assert not closer.is_alive()
    with pytest.raises(EngineError, match="closed"):
        batcher.submit([Item(1, 1)])
