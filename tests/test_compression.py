"""Compression: what is cut out really is what was zeroed, coarser weights stay close, students learn."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from adapter_folders import write_adapter
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from test_training import ROWS, SOURCE, recipe
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine.encoder import EncoderEngine
from assistant.errors import DataError
from assistant.workshop.batches import predict_logits
from assistant.workshop.compression import pruning
from assistant.workshop.compression.curve import Curve, Point
from assistant.workshop.compression.distillation import hard_recipe, soft_labels, student_recipe
from assistant.workshop.compression.quantization import SCHEMES, Int4Table, WeightOnly, compare
from assistant.workshop.compression.timing import taking_turns
from assistant.workshop.data import Example, Soft, read_unlabelled
from assistant.workshop.loop import Progress
from assistant.workshop.objectives import IGNORED, Encoded, SoftTarget, Tokens, objective
from assistant.workshop.publishing import publish
from assistant.workshop.recipe import Distillation, Lora, Training
from assistant.workshop.training import AdaptedModel, train

LABELS = ("colour", "animal")


# --- pruning ------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny() -> Any:
    """A BERT of two layers, four heads and sixteen feed-forward neurons, from its configuration alone."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=16,
        initializer_range=0.5,
        attn_implementation="eager",
    )
    return BertModel(config, add_pooling_layer=False).eval()


IDS = torch.arange(14).view(2, 7)
MASK = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])


@torch.no_grad()
def states(model: Any) -> Tensor:
    hidden: Tensor = model(input_ids=IDS, attention_mask=MASK).last_hidden_state
    return hidden


def test_removed_heads_give_what_zeroed_heads_give(tiny: Any) -> None:
    zeroed, before = copy.deepcopy(tiny), states(tiny)
    for layer, heads in ((0, [0, 3]), (1, [2])):
        for head in heads:
            zeroed.encoder.layer[layer].attention.output.dense.weight.data[:, head * 4 : head * 4 + 4] = 0
        pruning.remove_heads(tiny.encoder.layer[layer], heads)
    assert tiny.encoder.layer[0].attention.self.query.weight.shape == (8, 16)
    assert torch.allclose(states(tiny), states(zeroed), atol=1e-5)
    assert not torch.allclose(states(tiny), before, atol=1e-2)


def test_removed_neurons_give_what_zeroed_neurons_give(tiny: Any) -> None:
    zeroed = copy.deepcopy(tiny)
    zeroed.encoder.layer[1].output.dense.weight.data[:, [0, 5, 6]] = 0
    pruning.remove_neurons(tiny.encoder.layer[1], [5, 0, 6])
    assert tiny.encoder.layer[1].intermediate.dense.weight.shape == (13, 16)
    assert torch.allclose(states(tiny), states(zeroed), atol=1e-5)


def test_the_lowest_layers_give_the_states_between_layers(tiny: Any) -> None:
    with torch.no_grad():
        between = tiny(input_ids=IDS, attention_mask=MASK, output_hidden_states=True).hidden_states[1]
    pruning.keep_layers(tiny, 1)
    assert torch.allclose(states(tiny), between)


def test_masked_weights_are_the_smallest_and_stay_zero_when_trained(tiny: Any) -> None:
    whole = [
        linear.weight.detach().clone() for layer in tiny.encoder.layer for linear in pruning._linears(layer)
    ]
    pruning.zero_weights(tiny, 0.5)
    linears = [linear for layer in tiny.encoder.layer for linear in pruning._linears(layer)]
    gone = torch.cat([(linear.weight == 0).flatten() for linear in linears])
    magnitudes = torch.cat([w.abs().flatten() for w in whole])
    assert gone.float().mean() == pytest.approx(0.5, abs=0.01)
    assert magnitudes[gone].max() <= magnitudes[~gone].min()
    optimizer = torch.optim.SGD(tiny.parameters(), lr=0.1)
    tiny(input_ids=IDS, attention_mask=MASK).last_hidden_state.square().mean().backward()
    optimizer.step()
    after = torch.cat([linear.weight.flatten() for linear in linears])
    assert (after[gone] == 0).all()
    masked = states(tiny)

    class Holder:
        encoder = tiny

    pruning.settle(Holder())  # type: ignore[arg-type]
    assert torch.equal(states(tiny), masked)
    assert not any("mask" in name for name, _ in tiny.named_buffers())


@settings(deadline=None)
@given(
    scores=st.lists(
        st.lists(st.floats(0, 10, width=32, allow_subnormal=False), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
    ),
    sparsity=st.floats(0, 0.99),
)
def test_the_least_important_go_and_each_layer_keeps_one(scores: list[list[float]], sparsity: float) -> None:
    found = pruning.least([torch.tensor(layer) for layer in scores], sparsity)
    total = sum(map(len, scores))
    assert sum(map(len, found)) <= round(sparsity * total)
    for layer, gone in zip(scores, found, strict=True):
        assert len(gone) < len(layer)
        assert max(range(len(layer)), key=lambda i: layer[i]) not in gone
    removed = [scores[i][j] for i, gone in enumerate(found) for j in gone]
    kept = [
        s
        for i, layer in enumerate(scores)
        for j, s in enumerate(layer)
        if j not in found[i] and s < max(layer)
    ]
    assert max(removed, default=0) <= min(kept, default=torch.inf) + 1e-5


@pytest.mark.parametrize("name", ["classify", "bottleneck", "student classify"])
def test_a_trained_model_is_the_adapter_that_is_served(
    name: str, adapters: Callable[[str], Path], encoder: EncoderEngine
) -> None:
    folder = adapters(name)
    model = pruning.trained_model(folder)
    made = recipe(Lora()).model_copy(update={"labels": encoder.adapter(folder).labels})
    rows = [Example(e.texts, made.labels[0]) for e in ROWS]
    logits = torch.cat(predict_logits(model, objective("classify").encode(rows, made)))
    served = encoder.classify([e.texts[0] for e in rows], folder)
    assert torch.allclose(logits.softmax(-1), torch.tensor([c.probabilities for c in served]), atol=0.08)


@pytest.mark.parametrize("kind", ["heads", "neurons"])
def test_a_part_without_effect_has_no_gradient_importance(
    kind: pruning.Kind, adapters: Callable[[str], Path]
) -> None:
    made = recipe(Lora())
    data = objective("classify").encode(ROWS[:6], made)
    model = pruning.trained_model(write_adapter_once(adapters))
    layer = model.encoder.encoder.layer[2]
    size = 32 if kind == "heads" else 1
    reader = pruning._reader(layer, kind)
    reader.weight.data[:, 3 * size : 4 * size] = 0  # type: ignore[index,operator]
    scores = pruning.gradient_importance(model, kind, data, made)
    assert len(scores) == 6
    assert scores[2][3] == 0
    assert (scores[2] > 0).sum() >= len(scores[2]) // 2
    # The magnitude does not see that nothing reads it.
    assert pruning.magnitudes(model.encoder, kind)[2][3] > 0
    whole = pruning.weights_left(model)
    assert pruning.weights_left(pruning.pruned(model, kind, 0.5, scores)) < whole
    assert len(predict_logits(model, data)) == 6


def write_adapter_once(adapters: Callable[[str], Path]) -> Path:
    folder = adapters("classify").with_name("two-labels")
    return folder if folder.exists() else write_adapter(folder, labels=LABELS)


def test_masked_weights_are_counted(adapters: Callable[[str], Path]) -> None:
    model = pruning.trained_model(adapters("student classify"))
    whole = pruning.weights_left(model)
    linears = sum(
        linear.weight.numel() for layer in model.encoder.encoder.layer for linear in pruning._linears(layer)
    )
    assert whole - pruning.weights_left(pruning.pruned(model, "weights", 0.25)) == pytest.approx(
        linears / 4, abs=1
    )


def test_a_pruned_model_is_trained_by_the_common_loop(tmp_path: Path) -> None:
    made = pruning.recovery_recipe(recipe(Lora()), 8)
    settings = made.training.model_copy(update={"learning_rate": 3e-4})
    folder = write_adapter(tmp_path / "adapter", labels=LABELS, layers=2)
    model = pruning.pruned(pruning.trained_model(folder), "heads", 0.5)
    losses: list[float] = []

    def report(progress: Progress, steps: int, loss: float) -> bool:
        losses.append(loss)
        return True

    made = made.model_copy(update={"training": settings})
    again, _ = train(made, ROWS, ROWS, tmp_path / "run", report, model=model)
    assert again is model
    assert losses[-1] < losses[0]


def test_a_curve_is_a_table_a_json_file_and_a_picture(tmp_path: Path) -> None:
    points = [Point(0.0, 0.9, None, 1000, 1.0), Point(0.5, 0.7, 0.8, 500, 1.5)]
    curve = Curve("toy", "heads", "gradient", "macro-F1", 12, points)
    curve.save(tmp_path / "new")
    stored = json.loads((tmp_path / "new" / "curve.json").read_text())
    assert stored["points"][1]["recovered"] == 0.8
    assert (tmp_path / "new" / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["curve.json", "curve.png"]
    assert "0.7000     0.8000" in curve.table()[2]


# --- quantization -------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-5, 5), seed=st.integers(0, 99))
def test_four_bits_are_off_by_half_a_step_at_most(scale: float, shift: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    matrix = (torch.randn(6, 128, generator=generator) + shift) * scale
    table = Int4Table(matrix)
    grouped = matrix.view(6, 2, 64)
    step = (grouped.amax(-1) - grouped.amin(-1)) / 15
    off = (table.rows(slice(None)) - matrix).abs().view(6, 2, 64).amax(-1)
    # The scale and the lowest value are float16, which adds up to a thousandth of the range and of the value.
    assert (off <= step * 0.52 + matrix.abs().max() * 2e-3).all()
    index = torch.tensor([[0, 5], [2, 2]])
    assert torch.equal(table.rows(index), table.rows(slice(None))[index])


def test_four_bits_take_four_and_a_half() -> None:
    assert Int4Table(torch.randn(10, 128)).nbytes == 10 * 128 * 4.5 / 8
    assert torch.equal(Int4Table(torch.zeros(2, 64)).rows(slice(None)), torch.zeros(2, 64))
    with pytest.raises(ValueError, match="100 columns are no multiple of a group of 64"):
        Int4Table(torch.randn(2, 100))


@pytest.mark.parametrize(
    ("scheme", "error"), [("float32", 1e-6), ("int8", 0.02), ("int8-weights", 0.01), ("int4-weights", 0.12)]
)
def test_a_linear_layer_is_close_under_each_scheme(scheme: str, error: float) -> None:
    generator = torch.Generator().manual_seed(0)
    weight, bias, x = (torch.randn(*shape, generator=generator) for shape in ((48, 128), (48,), (9, 128)))
    exact = F.linear(x, weight, bias)
    linear = SCHEMES[scheme].linear(weight, bias)
    assert (linear(x) - exact).norm() <= error * exact.norm()
    assert linear.nbytes <= weight.nbytes + bias.nbytes
    table = SCHEMES[scheme].table(weight)
    assert (table.rows(slice(4)) - weight[:4]).norm() <= error * weight[:4].norm()
    if isinstance(linear, WeightOnly):
        assert linear.nbytes < 0.4 * weight.nbytes


def test_schemes_are_compared_on_one_adapter(adapters: Callable[[str], Path]) -> None:
    folder = adapters("student classify")
    made = recipe(Lora()).model_copy(update={"labels": ("no", "perhaps", "yes")})
    rows = [Example(e.texts, "yes") for e in ROWS[:4]]
    found = {each.scheme: each for each in compare(made, folder, rows)}
    assert list(found) == list(SCHEMES)
    assert found["float32"].times_as_fast == 1
    assert found["float32"].bytes > 3 * found["int8"].bytes > 4 * found["int4-weights"].bytes
    assert all(each.metric == "accuracy" for each in found.values())


def test_models_take_turns() -> None:
    seen: list[tuple[str, int]] = []
    seconds = taking_turns(
        [lambda n: seen.append(("a", n)), lambda n: seen.append(("b", n))], [1, 2], rounds=2
    )
    assert seen == [("a", 1), ("b", 1), ("a", 2), ("b", 2)] * 2
    assert len(seconds) == 2


# --- distillation -------------------------------------------------------------------------------------------

ANY = Tokens([1], [0])


def soft_loss(logits: Tensor, targets: list[Any], **settings: float) -> float:
    training = Training(distillation=Distillation(**settings))
    batch = [Encoded((ANY,), target) for target in targets]
    return float(objective("classify").loss(logits, batch, training, torch.ones(logits.shape[-1])))


def test_the_loss_of_soft_labels() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    own = [tuple(row) for row in logits.softmax(-1).tolist()]
    even = (1 / 3, 1 / 3, 1 / 3)
    # Who says what the teacher says has nothing to learn from it, at any temperature.
    agree = [SoftTarget(IGNORED, p) for p in own]
    for temperature in (1.0, 4.0):
        assert soft_loss(logits, agree, alpha=1, temperature=temperature) == pytest.approx(0, abs=1e-6)
    # At alpha 0 it is the cross entropy of the rows that have a label.
    targets = [SoftTarget(0, even), SoftTarget(IGNORED, even)]
    expected = float(F.cross_entropy(logits[:1], torch.tensor([0])))
    assert soft_loss(logits, targets, alpha=0) == pytest.approx(expected)
    # Between, the parts are weighted; at temperature 1 the soft part is the Kullback-Leibler divergence.
    divergence = float(F.kl_div(logits.log_softmax(-1), torch.full((2, 3), 1 / 3), reduction="batchmean"))
    mixed = soft_loss(logits, targets, alpha=0.25, temperature=1)
    assert mixed == pytest.approx(0.25 * divergence + 0.75 * expected, rel=1e-5)


def test_soft_rows_count_in_the_balance_by_what_is_known() -> None:
    data = [Encoded((ANY,), SoftTarget(n, (0.5, 0.5))) for n in (0, 0, 0, 1, IGNORED)]
    low, high = objective("classify").class_weights(data, 2, 1.0).tolist()
    assert high == pytest.approx(3 * low)


@pytest.fixture
def teacher(adapters: Callable[[str], Path]) -> Path:
    return write_adapter_once(adapters)


def test_the_teacher_is_asked_once(teacher: Path, encoder: EncoderEngine, tmp_path: Path) -> None:
    examples = [*ROWS[:3], Example(("nobody knows",), None)]
    kept = tmp_path / "teacher.safetensors"
    done: list[int] = []
    first = soft_labels(encoder, teacher, examples, LABELS, kept, lambda n: done.append(n) or True)
    again = soft_labels(encoder, teacher, examples, LABELS, kept, lambda n: done.append(n) or True)
    assert first == again
    assert done == [4]
    assert [e.label.label for e in first] == ["colour"] * 3 + [None]
    served = encoder.classify([e.texts[0] for e in examples], teacher)
    for example, found in zip(first, served, strict=True):
        assert example.label.probabilities == pytest.approx(found.probabilities, abs=0.05)
    # Of other texts, or after damage, it is asked anew.
    soft_labels(encoder, teacher, ROWS[:2], LABELS, kept, lambda n: done.append(n) or True)
    kept.write_bytes(b"no tensors")
    soft_labels(encoder, teacher, ROWS[:2], LABELS, kept, lambda n: done.append(n) or True)
    assert done == [4, 2, 2]
    with pytest.raises(DataError, match="Stopped"):
        soft_labels(encoder, teacher, ROWS, LABELS, None, lambda n: False)
    with pytest.raises(DataError, match="The teacher has the labels colour, animal; the student has red"):
        soft_labels(encoder, teacher, ROWS, ("red",))


def test_what_is_no_classification_is_not_distilled() -> None:
    made = recipe(Lora()).model_copy(update={"operation": "tag"})
    with pytest.raises(DataError, match="toy is to tag"):
        student_recipe(made)


def test_a_recipe_becomes_a_students() -> None:
    made = student_recipe(recipe(Lora()), layers=2, alpha=0.5)
    assert made.layers == 2
    assert made.training.distillation == Distillation(temperature=2.0, alpha=0.5)
    assert student_recipe(made).layers == 2
    assert student_recipe(recipe(Lora())).layers == 3
    alone = hard_recipe(made)
    assert alone.training.distillation is None
    assert alone.layers == 2


def test_a_student_learns_from_opinions_alone_and_is_served_on_its_layers(
    tmp_path: Path, encoder: EncoderEngine
) -> None:
    opinions = {"colour": (0.9, 0.1), "animal": (0.2, 0.8)}
    rows = [Example(e.texts, Soft(None, opinions[e.label])) for e in ROWS]
    made = student_recipe(recipe(Lora(rank=4, alpha=8), epochs=16), layers=2, temperature=1, alpha=1)
    model, progress = train(made, rows, ROWS, tmp_path / "run")
    assert progress.best_score == 1.0
    folder = tmp_path / "student"
    sources = [(SOURCE, rows)]
    manifest = publish(made, model, sources, [(SOURCE, ROWS)], folder, "Toy", "make toy", 1.0)
    assert manifest.layers == 2
    assert "the lowest 2 layers of all-MiniLM-L6-v2" in (folder / "README.md").read_text()
    assert {name.split(".")[4] for name in load_file(folder / "adapter_model.safetensors")} == {"0", "1"}
    served = encoder.classify([e.texts[0] for e in ROWS], folder)
    assert [c.label for c in served] == [e.label for e in ROWS]


def test_more_layers_than_the_base_has_are_refused() -> None:
    with pytest.raises(DataError, match="has 7 layers; the base has 6"):
        AdaptedModel(Lora(rank=1), 2, seed=0, layers=7)


def test_unlabelled_texts_are_read_whatever_else_a_row_holds(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "one", "label": 7}\n{"text": "two"}\n')
    assert read_unlabelled(path, ("text",)) == [Example(("one",), None), Example(("two",), None)]
    path.write_text('{"text": " "}\n')
    with pytest.raises(DataError, match="'text' is ' '"):
        read_unlabelled(path, ("text",))
