"""Batches of encoded examples: of similar length, as tensors, with word pieces masked, and run through a model."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from assistant.engine.encoder import CLS, SEP
from assistant.workshop.objectives import Encoded
from assistant.workshop.recipe import MAX_BATCH_TOKENS

if TYPE_CHECKING:
    from assistant.workshop.training import AdaptedModel

MASK_TOKEN = 103  # [MASK] of the BERT vocabulary
# Widths are rounded up to a multiple of this. On a CPU, oneDNN compiles a kernel for each shape that it meets: with
# every width there is, it does little else after a while, and freed memory seldom fits again.
WIDTH_STEP = 8


def batches(
    data: Sequence[Encoded], size: int, rng: random.Random | None, most_tokens: int = MAX_BATCH_TOKENS
) -> Iterator[list[Encoded]]:
    """Batches of similar length, with at most `size` sequences and `most_tokens` tokens, padding included, but never
    less than one example; shuffled when `rng` is given, otherwise sorted by length."""
    order = list(range(len(data)))
    if rng is not None:
        rng.shuffle(order)
    # Sorting within large chunks of the shuffled order keeps padding small and the order random.
    chunk = size * 64 if rng is not None else len(order) or 1
    groups: list[list[Encoded]] = []
    for start in range(0, len(order), chunk):
        members = sorted(order[start : start + chunk], key=lambda i: data[i].width)
        group: list[Encoded] = []
        for i in members:
            rows = sum(len(e.sequences) for e in group)
            # An example with several sequences counts as many: batches of every operation cost about the same.
            more = rows + len(data[i].sequences)
            if group and (more > size or more * data[i].width > most_tokens):
                groups.append(group)
                group = []
            group.append(data[i])
        groups.append(group)
    if rng is not None:
        rng.shuffle(groups)
    yield from (group for group in groups if group)


def tensors(batch: Sequence[Encoded], device: torch.device | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, segments and mask (sequences, tokens) of all sequences in order, padded on the right to a common width."""
    sequences = [tokens for e in batch for tokens in e.sequences]
    width = WIDTH_STEP * math.ceil(max(len(tokens.ids) for tokens in sequences) / WIDTH_STEP)
    padding = [[0] * (width - len(tokens.ids)) for tokens in sequences]
    ids = torch.tensor([t.ids + zeros for t, zeros in zip(sequences, padding, strict=True)])
    segments = torch.tensor([t.segments + zeros for t, zeros in zip(sequences, padding, strict=True)])
    mask = torch.tensor([[1] * len(t.ids) + zeros for t, zeros in zip(sequences, padding, strict=True)])
    return ids.to(device), segments.to(device), mask.to(device)


def masked(ids: Tensor, mask: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Replace a share of the word pieces, never the first or a separator, by [MASK]."""
    keep = torch.rand(ids.shape, generator=generator) >= rate
    special = (ids == CLS) | (ids == SEP) | (mask == 0)
    return torch.where(keep | special, ids, torch.full_like(ids, MASK_TOKEN))


@torch.inference_mode()
def predict_logits(model: AdaptedModel, data: Sequence[Encoded], batch_size: int = 64) -> list[Tensor]:
    """For each example its logits (sequences, outputs) or (sequences, tokens, outputs), in the order of `data`."""
    found: dict[int, Tensor] = {}
    for batch in batches(data, batch_size, None):
        logits = model(*tensors(batch, model.device)).cpu()
        parts = logits.split([len(e.sequences) for e in batch])
        found |= {id(e): part for e, part in zip(batch, parts, strict=True)}
    return [found[id(e)] for e in data]
