"""Quantization: the base's weights in fewer bits.

What it does: a weight becomes a small integer times a scale that it shares with its neighbours.

    int8          round(w / s) of 8 bits, s = max|row| / 127; activations likewise, a scale a row; integer products
    int8-weights  the same weights, activations left in float32
    int4-weights  4 bits: w ≈ low + s q, q from 0 to 15, a pair (low, s) for each 64 weights of a row

When to use it: `int8` is what the engine serves: a quarter of the bytes and several times the speed. Weights alone
save memory, not time: they are made float again for every product. Four bits are for where memory is what is short.

Relation to the others: it keeps every weight and makes each coarser, where pruning keeps some as they are; both can
follow distillation.

Reference: Dettmers et al. 2022, "LLM.int8()" (arXiv 2208.07339) for scales per row and channel; Yao et al. 2022,
"ZeroQuant" (arXiv 2206.01861), and Frantar et al. 2022, "GPTQ" (arXiv 2210.17323), for scales per group, of which
this is the round-to-nearest form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine.adaptation import Stacks
from assistant.engine.encoder import EncoderEngine
from assistant.engine.quantization import INT8, Scheme, Table, quantize_rows
from assistant.workshop.batches import batches, tensors
from assistant.workshop.compression.timing import taking_turns
from assistant.workshop.data import Example, spread
from assistant.workshop.evaluation import Metric
from assistant.workshop.objectives import Encoded, objective
from assistant.workshop.recipe import Recipe

GROUP = 64  # weights that share a scale in 4 bits
LEVELS = 15  # the largest integer of 4 bits
TIMED_ROWS, TIMED_BATCH = 128, 16


@dataclass(frozen=True)
class FloatTable:
    """A float32 matrix as it is."""

    values: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""
        return self.values.nbytes

    def rows(self, index: Tensor | slice) -> Tensor:
        """See Table."""
        # Never a view: what is read may be added to.
        return self.values[index].clone()


class Int4Table:
    """A matrix (rows, columns) in 4 bits a weight, two of them a byte, with a float16 scale and lowest value for each
    `group` neighbours in a row. Raises ValueError when the columns are no multiple of it."""

    def __init__(self, matrix: Tensor, group: int = GROUP) -> None:
        rows, columns = matrix.shape
        if columns % group or group % 2:
            raise ValueError(f"{columns} columns are no multiple of a group of {group}.")
        grouped = matrix.float().view(rows, -1, group)
        low, high = grouped.amin(-1, keepdim=True).half(), grouped.amax(-1, keepdim=True)
        scale = ((high - low.float()) / LEVELS).half().clamp_min(torch.finfo(torch.float16).tiny)
        values = ((grouped - low.float()) / scale.float()).round_().clamp_(0, LEVELS).to(torch.uint8)
        self.low, self.scale = low, scale
        self.packed = values[..., ::2] * 16 + values[..., 1::2]

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""
        return self.packed.nbytes + self.low.nbytes + self.scale.nbytes

    def rows(self, index: Tensor | slice) -> Tensor:
        """See Table."""
        packed = self.packed[index]
        values = torch.stack([packed >> 4, packed & LEVELS], -1).flatten(-2).float()
        return values.mul_(self.scale[index].float()).add_(self.low[index].float()).flatten(-2)


class WeightOnly:
    """A linear layer whose weight is a table, made float32 again for every product."""

    def __init__(self, table: Table, bias: Tensor) -> None:
        self.table, self.bias = table, bias.float()

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""
        return self.table.nbytes + self.bias.nbytes

    def __call__(self, x: Tensor) -> Tensor:
        """Map float32 (rows, in) to float32 (rows, out)."""
        return F.linear(x, self.table.rows(slice(None)), self.bias)


class FloatLinear:
    """A float32 linear layer."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight, self.bias = weight.float(), bias.float()

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""
        return self.weight.nbytes + self.bias.nbytes

    def __call__(self, x: Tensor) -> Tensor:
        """Map float32 (rows, in) to float32 (rows, out)."""
        return F.linear(x, self.weight, self.bias)


SCHEMES: Mapping[str, Scheme] = {
    "float32": Scheme("float32", FloatLinear, FloatTable),
    "int8": INT8,
    "int8-weights": Scheme(
        "int8 weights per channel", lambda w, b: WeightOnly(quantize_rows(w), b), quantize_rows
    ),
    "int4-weights": Scheme(
        f"4-bit weights in groups of {GROUP}", lambda w, b: WeightOnly(Int4Table(w), b), Int4Table
    ),
}


@dataclass(frozen=True)
class Measured:
    """One scheme under an adapter: bytes of the base, times as fast as the first scheme, the adapter's main metric."""

    scheme: str
    bytes: int
    times_as_fast: float
    metric: str
    score: Metric


def compare(
    recipe: Recipe, adapter: Path, examples: Sequence[Example], schemes: Mapping[str, Scheme] = SCHEMES
) -> list[Measured]:
    """An adapter on the base under each scheme. Only forward passes are timed, and they take turns."""
    task = objective(recipe.operation)
    engines = [EncoderEngine(scheme=scheme) for scheme in schemes.values()]
    try:
        scores = [next(iter(task.measure(e, adapter, examples).metrics.items())) for e in engines]
        encoded = task.encode(spread(examples, TIMED_ROWS), recipe)
        runs = [_Forward(engine, adapter) for engine in engines]
        seconds = taking_turns(runs, list(batches(encoded, TIMED_BATCH, None)))
        return [
            Measured(name, engine.info.bytes, seconds[0] / own, metric, score)
            for name, engine, own, (metric, score) in zip(schemes, engines, seconds, scores, strict=True)
        ]
    finally:
        for engine in engines:
            engine.close()


class _Forward:
    """One pass of a batch through an engine's base with an adapter."""

    def __init__(self, engine: EncoderEngine, adapter: Path) -> None:
        self.model, self.loaded, self.stacks = engine.model, engine.adapters.get(adapter), Stacks()

    def __call__(self, batch: Sequence[Encoded]) -> Tensor:
        ids, segments, mask = tensors(batch)
        adaptations = self.stacks.adaptations([self.loaded] * len(ids))
        return self.model(ids, segments, mask, adaptations, self.loaded.layers)
