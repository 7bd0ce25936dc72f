"""The quantized encoder: BERT's forward pass on int8 weights, with a place for adapters at every linear layer.

Rows of one batch may carry different adapters, of different kinds. The rows are given ordered by kind, so that each
kind's arithmetic runs on one contiguous slice of the batch (see `adapters`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name that everybody uses)

from assistant.engine.embedded import Dimensions
from assistant.engine.quantization import INT8, Linear, Scheme

# The four linear layers of a block. Query, key and value are one, as one integer product.
Slot: TypeAlias = Literal["qkv", "attention.output", "intermediate", "output"]
SLOTS: tuple[Slot, ...] = ("qkv", "attention.output", "intermediate", "output")


class Adaptation(Protocol):
    """What a kind of adapter does to a slice of the batch."""

    rows: slice

    def adapt(self, layer: int, slot: Slot, x: Tensor, y: Tensor) -> Tensor:
        """The adapted output of a linear layer: from its input x (rows, tokens, in) and output y (rows, tokens, out).
        y may be overwritten."""
        ...


class Norm:
    """A layer norm."""

    def __init__(self, weight: Tensor, bias: Tensor, epsilon: float) -> None:
        self.weight, self.bias, self.epsilon = weight.float(), bias.float(), epsilon

    def __call__(self, x: Tensor) -> Tensor:
        """Normalize the last dimension."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.epsilon)


class Block:
    """One encoder layer."""

    def __init__(self, weights: Mapping[str, Tensor], prefix: str, epsilon: float, scheme: Scheme) -> None:
        def both(name: str) -> tuple[Tensor, Tensor]:
            return weights[f"{prefix}{name}.weight"], weights[f"{prefix}{name}.bias"]

        parts = [both(f"attention.self.{name}") for name in ("query", "key", "value")]
        self.linears: dict[Slot, Linear] = {
            "qkv": scheme.linear(torch.cat([w for w, _ in parts]), torch.cat([b for _, b in parts])),
            "attention.output": scheme.linear(*both("attention.output.dense")),
            "intermediate": scheme.linear(*both("intermediate.dense")),
            "output": scheme.linear(*both("output.dense")),
        }
        self.attention_norm = Norm(*both("attention.output.LayerNorm"), epsilon)
        self.output_norm = Norm(*both("output.LayerNorm"), epsilon)


class QuantizedEncoder:
    """The base in int8, or as another scheme keeps it. Immutable once built, so any number of threads may run it."""

    def __init__(self, weights: Mapping[str, Tensor], dimensions: Dimensions, scheme: Scheme = INT8) -> None:
        self.dimensions = dimensions
        self.words = scheme.table(weights["embeddings.word_embeddings.weight"])
        self.positions = scheme.table(weights["embeddings.position_embeddings.weight"])
        self.segments = weights["embeddings.token_type_embeddings.weight"].float()
        epsilon = dimensions.layer_norm_epsilon
        self.norm = Norm(
            weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"], epsilon
        )
        self.blocks = [
            Block(weights, f"encoder.layer.{i}.", epsilon, scheme) for i in range(dimensions.layers)
        ]

    @property
    def nbytes(self) -> int:
        """Bytes of all weights as they are resident."""
        linears = sum(linear.nbytes for block in self.blocks for linear in block.linears.values())
        norms = [self.norm, *(n for block in self.blocks for n in (block.attention_norm, block.output_norm))]
        return (
            linears
            + self.words.nbytes
            + self.positions.nbytes
            + self.segments.nbytes
            + sum(n.weight.nbytes + n.bias.nbytes for n in norms)
        )

    @torch.inference_mode()
    def __call__(
        self,
        ids: Tensor,
        segments: Tensor,
        mask: Tensor,
        adaptations: Sequence[Adaptation] = (),
        layers: int | None = None,
    ) -> Tensor:
        """Hidden states (rows, tokens, hidden) of token ids, segment ids and mask, each (rows, tokens), after the
        lowest `layers` layers (None: after all)."""
        rows, tokens = ids.shape
        hidden, heads = self.dimensions.hidden, self.dimensions.heads
        h = self.words.rows(ids)
        h += self.positions.rows(slice(tokens))
        h = self.norm(h.add_(torch.embedding(self.segments, segments)))
        bias = None if bool(mask.all()) else torch.where(mask.bool(), 0.0, -torch.inf)[:, None, None, :]
        for number, block in enumerate(self.blocks[:layers]):

            def linear(slot: Slot, x: Tensor, number: int = number, block: Block = block) -> Tensor:
                y = block.linears[slot](x.reshape(rows * tokens, -1)).view(rows, tokens, -1)
                for adaptation in adaptations:
                    part = adaptation.rows
                    if part == slice(0, rows):
                        y = adaptation.adapt(number, slot, x, y)
                    else:
                        y[part] = adaptation.adapt(number, slot, x[part], y[part])
                return y

            query, key, value = linear("qkv", h).view(rows, tokens, 3, heads, -1).permute(2, 0, 3, 1, 4)
            attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
            attended = attended.transpose(1, 2).reshape(rows, tokens, hidden)
            h = block.attention_norm(linear("attention.output", attended).add_(h))
            h = block.output_norm(linear("output", F.gelu(linear("intermediate", h))).add_(h))
        return h
