"""How likely each label is as the continuation of a prompt.

A prompt is a shared prefix (instruction, labels, worked examples), a row (the text to judge) and the labels. The
prefix is read once and kept; the rows are read together on copies of it; only labels of more than one token need a
second pass, all of them in one batch. Against one generation per label that is a pass over a few tokens instead of
one over the whole prompt for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from assistant.engine.causal.model import PASS_BYTES, CausalModel, stacked


@dataclass(frozen=True)
class Row:
    """What comes after the prefix, and the labels to compare, all as token ids. `adapter` is PEFT's name."""

    prefix: tuple[int, ...]
    ids: tuple[int, ...]
    labels: tuple[tuple[int, ...], ...]
    adapter: str


def log_likelihoods(model: CausalModel, rows: Sequence[Row]) -> list[list[float]]:
    """For each row the natural logarithm of each label's probability. The rows may differ in prefix and adapter."""
    prefixes = [model.prefix(row.prefix, row.adapter) for row in rows]
    per_token = prefixes[0].nbytes / prefixes[0].tokens
    longest = max(p.tokens + len(row.ids) for p, row in zip(prefixes, rows, strict=True))
    size = max(1, int(PASS_BYTES / (per_token * longest)))
    if len(rows) > size:
        return [
            likelihood
            for first in range(0, len(rows), size)
            for likelihood in log_likelihoods(model, rows[first : first + size])
        ]
    # Padding stands on the far left only, for a base with a sliding window counts what stands between two tokens: a
    # shorter row reads the end of its prefix once more.
    width = max(len(row.ids) for row in rows)
    cache, mask = stacked(prefixes, [max(0, len(row.prefix) + len(row.ids) - width) for row in rows])
    ids, own = _padded([(*row.prefix, *row.ids)[-width:] for row in rows], left=True)
    mask = torch.cat([mask, own], 1)
    logits, cache = model.forward(ids, mask, [row.adapter for row in rows], cache, keep=1)
    first = torch.log_softmax(logits[:, -1], -1).cpu()
    results = [
        [float(first[number, label[0]]) if label else 0.0 for label in row.labels]
        for number, row in enumerate(rows)
    ]
    longer = [
        (number, label)
        for number, row in enumerate(rows)
        for label, ids_ in enumerate(row.labels)
        if len(ids_) > 1
    ]
    for start in range(0, len(longer), size):
        group = longer[start : start + size]
        for (number, label), value in zip(group, _rest(model, rows, group, cache, mask), strict=True):
            results[number][label] += value
    return results


def _rest(
    model: CausalModel, rows: Sequence[Row], group: Sequence[tuple[int, int]], cache: Any, mask: Tensor
) -> list[float]:
    """What a label's tokens after its first one add, for each (row, label) of the group."""
    from transformers import DynamicCache

    index = torch.tensor([number for number, _ in group])
    copied = DynamicCache(
        [(x.keys[index.to(x.keys.device)], x.values[index.to(x.keys.device)]) for x in cache.layers]
    )
    labels = [rows[number].labels[label] for number, label in group]
    ids, own = _padded([label[:-1] for label in labels], left=False)
    adapters = [rows[number].adapter for number, _ in group]
    logits, _ = model.forward(ids, torch.cat([mask[index], own], 1), adapters, copied, keep=0)
    targets, _ = _padded([label[1:] for label in labels], left=False)
    chosen = torch.log_softmax(logits, -1).cpu().gather(-1, targets[..., None])[..., 0]
    values: list[float] = (chosen * own).sum(-1).tolist()
    return values


def _padded(sequences: Sequence[Sequence[int]], left: bool) -> tuple[Tensor, Tensor]:
    """Ids and mask (rows, longest), padded on one side."""
    width = max(len(sequence) for sequence in sequences)
    ids, mask = (torch.zeros(len(sequences), width, dtype=torch.long) for _ in range(2))
    for row, sequence in enumerate(sequences):
        place = slice(width - len(sequence), width) if left else slice(0, len(sequence))
        ids[row, place] = torch.tensor(sequence, dtype=torch.long)
        mask[row, place] = 1
    return ids, mask
