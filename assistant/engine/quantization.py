"""Int8 weights with a scale per output channel, int8 activations with a scale per row.

Both are symmetric and use the full range; the integer products are exact, so a row's result does not depend on what
else is in the batch, which a scale per tensor would make it do. The scheme is that of LLM.int8() without its outlier
part (Dettmers et al. 2022, arXiv 2208.07339, "vector-wise quantization"). `benchmarks/` compares it with others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
from torch import Tensor

FULL_RANGE = 127.0
# Keeps an all-zero row from dividing by zero.
TINY = 1e-12
# With short messages the calls take as long as the products, so there are as few of them as can be.
_TINY = torch.tensor(TINY)


class Linear(Protocol):
    """`x @ weight.T + bias` in whatever form the weight is kept."""

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""

    def __call__(self, x: Tensor) -> Tensor:
        """Map float32 (rows, in) to float32 (rows, out)."""


class Table(Protocol):
    """A matrix that is read by rows, as embeddings are."""

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""

    def rows(self, index: Tensor | slice) -> Tensor:
        """The float32 rows at an index of any shape: (*index.shape, columns)."""


@dataclass(frozen=True)
class Scheme:
    """How the base's weights are kept: linear layers made of (weight (out, in), bias (out,)), tables of embeddings."""

    name: str
    linear: Callable[[Tensor, Tensor], Linear]
    table: Callable[[Tensor], Table]


@dataclass(frozen=True)
class Int8Matrix:
    """`values` int8 (rows, columns) and `scale` float32 (rows, 1): row i is `values[i] * scale[i]`."""

    values: Tensor
    scale: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""
        return self.values.nbytes + self.scale.nbytes

    def dequantize(self) -> Tensor:
        """The float32 matrix that this stands for."""
        return self.values.float() * self.scale

    def rows(self, index: Tensor | slice) -> Tensor:
        """See Table."""
        if isinstance(index, slice):
            return self.values[index] * self.scale[index]
        return torch.embedding(self.values, index) * torch.embedding(self.scale, index)


def quantize_rows(matrix: Tensor) -> Int8Matrix:
    """Quantize each row of a float matrix (rows, columns) by its own largest magnitude."""
    scale = matrix.abs().amax(-1, keepdim=True).float().clamp_min(TINY) / FULL_RANGE
    return Int8Matrix((matrix / scale).round_().to(torch.int8), scale)


class Int8Linear:
    """`x @ weight.T + bias` with an int8 weight (out, in); activations are quantized as they come."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        quantized = quantize_rows(weight)
        self.product: Product = OneDnnProduct(quantized) if one_dnn_is_exact() else FloatProduct(quantized)
        self.bias = bias.float()

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""
        return self.product.nbytes + self.bias.nbytes

    def __call__(self, x: Tensor) -> Tensor:
        """Map float32 (rows, in) to float32 (rows, out)."""
        row_scale = torch.add(_TINY, x.abs().amax(-1, keepdim=True), alpha=1 / FULL_RANGE)
        product = self.product((x / row_scale).round_())
        return torch.addcmul(self.bias, product, row_scale, out=product)


class Product(Protocol):
    """A quantized weight (out, in) that multiplies float32 (rows, in) of integers in the range of int8, and scales the
    result per channel: float32 (rows, out)."""

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""

    def __call__(self, values: Tensor) -> Tensor:
        """A fresh tensor, which the caller may overwrite."""


class OneDnnProduct:
    """oneDNN's product of int8 matrices, which scales the sums before they leave the registers. `torch._int_mm` writes
    them out as int32, and reading them again takes longer than the product itself."""

    def __init__(self, weight: Int8Matrix) -> None:
        self.packed = torch.ops.onednn.qlinear_prepack(weight.values, None)
        self.scale = weight.scale.flatten()
        self.zero = torch.zeros_like(self.scale, dtype=torch.long)
        self.multiply = torch.ops.onednn.qlinear_pointwise.default

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""
        return int(self.packed.nbytes) + self.scale.nbytes + self.zero.nbytes

    def __call__(self, values: Tensor) -> Tensor:
        """See Product."""
        rows, inputs = values.shape
        # oneDNN makes a kernel for every number of rows. Rows that are not used, at most an eighth where there are
        # many, keep the numbers few.
        step = max(16, (1 << rows.bit_length()) >> 4)
        unused = -rows % step
        if unused:
            padded = torch.empty(rows + unused, inputs, dtype=torch.int8)
            padded[:rows] = values
        else:
            padded = values.to(torch.int8)
        product: Tensor = self.multiply(
            padded, 1.0, 0, self.packed, self.scale, self.zero,
            None, 1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return product[:rows] if unused else product


class FloatProduct:
    """The same in float32, at its speed and four times the memory."""

    def __init__(self, weight: Int8Matrix) -> None:
        self.weight = weight.dequantize()

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""
        return self.weight.nbytes

    def __call__(self, values: Tensor) -> Tensor:
        """See Product."""
        return values @ self.weight.t()


@cache
def one_dnn_is_exact() -> bool:
    """Whether oneDNN multiplies int8 exactly here. Other builds of torch lack it; and a CPU with neither VNNI nor AMX
    adds pairs of products in 16 bits, which saturate without a word."""
    largest = torch.full((32, 384), int(FULL_RANGE), dtype=torch.int8)
    try:
        product = OneDnnProduct(Int8Matrix(largest, torch.ones(32, 1)))(largest.float())
    except (AttributeError, RuntimeError):
        return False
    return bool((product == FULL_RANGE**2 * 384).all())


INT8 = Scheme("int8 weights per channel, int8 activations per row", Int8Linear, quantize_rows)


def fake_quantized(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The float weights that the int8 ones stand for, for training adapters against what will serve them.

    Every matrix with the name of a linear layer or an embedding is replaced; biases and layer norms are kept.
    """
    return {
        name: quantize_rows(value).dequantize() if value.ndim == 2 and name.endswith(".weight") else value
        for name, value in state.items()
    }
