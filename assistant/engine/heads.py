"""Heads: what turns the base's hidden states into labels, tags, spans and scores.

A head is one linear layer on a fixed view of the hidden states; it travels in the adapter folder as
`head.safetensors`. Adapters with heads of different shapes run in one batch, each head on its own rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

View = Literal["pooled", "tokens"]


def pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """The first token's state beside the mean of all: (rows, tokens, d) -> (rows, 2 d). `mask` is (rows, tokens)."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    mean = (hidden * weights).sum(1) / weights.sum(1).clamp_min(1)
    return torch.cat([hidden[:, 0], mean], dim=-1)


@dataclass(frozen=True)
class Head:
    """`weight` (outputs, inputs) and `bias` (outputs,), on the pooled state or on each token's."""

    view: View
    weight: Tensor
    bias: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes that it occupies."""
        return self.weight.nbytes + self.bias.nbytes

    def __call__(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Logits: (rows, outputs) for a pooled head, (rows, tokens, outputs) for a token head."""
        features = pool(hidden, mask) if self.view == "pooled" else hidden
        return nn.functional.linear(features, self.weight.to(features.dtype), self.bias.to(features.dtype))


def input_size(view: View, hidden: int) -> int:
    """How many features a head of this view reads from a base of this width."""
    return 2 * hidden if view == "pooled" else hidden


def new_head(view: View, hidden: int, outputs: int, generator: torch.Generator) -> Head:
    """A trainable head with small random weights."""
    size = input_size(view, hidden)
    weight = torch.randn(outputs, size, generator=generator) * 0.02
    return Head(view, nn.Parameter(weight), nn.Parameter(torch.zeros(outputs)))


def save_head(head: Head, path: Path) -> None:
    """Write the head's two tensors."""
    from safetensors.torch import save_file

    tensors = {"weight": head.weight, "bias": head.bias}
    save_file({name: tensor.detach().float().contiguous() for name, tensor in tensors.items()}, path)
