"""One forward pass at a time: rows on cached prefixes, each row with its own LoRA adapter or none.

PEFT chooses adapters by row through hooks that it puts on the model for one pass, so passes must not overlap.
"""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine.causal.loading import CausalBase

# PEFT's name for a row without an adapter.
BARE = "__base__"
# Bounds of what is kept and of what one pass may hold in key-value caches. Bytes.
KEPT_PREFIXES = 512_000_000
PASS_BYTES = 1_000_000_000


@dataclass(frozen=True, eq=False)
class Prefix:
    """The keys and values of a text that many rows start with: per layer (heads, tokens, size), twice."""

    layers: tuple[tuple[Tensor, Tensor], ...]

    @property
    def tokens(self) -> int:
        """Its length."""
        return int(self.layers[0][0].shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps."""
        return sum(key.nbytes + value.nbytes for key, value in self.layers)


class CausalModel:
    """The base, the LoRA adapters on it and the prefixes that it has read. Safe to share by threads."""

    def __init__(self, base: CausalBase) -> None:
        self.model = base.model
        self.device = base.device
        # What transformers 5.24 calls `cache` was `past_key_values` before; models differ in it, too.
        self._cache = (
            "cache" if "cache" in inspect.signature(base.model.forward).parameters else "past_key_values"
        )
        self._lock = threading.RLock()
        self._prefixes: OrderedDict[tuple[str, tuple[int, ...]], Prefix] = OrderedDict()
        self._adapters: set[str] = set()

    def add_adapter(self, name: str, folder: Path) -> None:
        """Put a checked LoRA folder on the base under a name; nothing is merged."""
        from peft import PeftModel

        with self._lock:
            if name in self._adapters:
                return
            # Read into main memory and copied from there: on ZeroGPU nothing is read onto the device itself.
            options = {"is_trainable": False, "torch_device": "cpu"}
            if self._adapters:
                self.model.load_adapter(folder, name, **options)
            else:
                self.model = PeftModel.from_pretrained(self.model, folder, name, **options)
            self.model.eval()
            self._adapters.add(name)

    def prefix(self, ids: Sequence[int], adapter: str = BARE) -> Prefix:
        """The keys and values of a text, computed when they are not kept from an earlier call."""
        key = (adapter, tuple(ids))
        with self._lock:
            if key in self._prefixes:
                self._prefixes.move_to_end(key)
                return self._prefixes[key]
            _, cache = self.forward(torch.tensor([list(ids)]), None, [adapter], None, keep=1)
            prefix = Prefix(tuple((layer.keys[0], layer.values[0]) for layer in cache.layers))
            self._prefixes[key] = prefix
            while len(self._prefixes) > 1 and sum(p.nbytes for p in self._prefixes.values()) > KEPT_PREFIXES:
                self._prefixes.popitem(last=False)
            return prefix

    def forward(
        self, ids: Tensor, mask: Tensor | None, adapters: Sequence[str], cache: Any, keep: int
    ) -> tuple[Tensor, Any]:
        """Logits (rows, last `keep` tokens (0: all), vocabulary) in float32, and the cache made longer.

        `ids` are (rows, tokens); `mask` (rows, cached + tokens) is 0 where a token is padding, None where none is.
        """
        from transformers import DynamicCache

        # Without the model's configuration every layer keeps all: a layer that keeps a window only cannot be padded.
        cache = DynamicCache() if cache is None else cache
        past = cache.get_seq_length()
        if mask is None:
            mask = torch.ones(ids.shape[0], past + ids.shape[1], dtype=torch.long)
        positions = (mask.cumsum(-1) - 1).clamp_min(0)[:, past:]
        chosen: dict[str, Any] = {self._cache: cache}
        with self._lock, torch.inference_mode():
            # The first adapter may have come while this pass waited, and it acts on rows that do not say theirs.
            if self._adapters:
                chosen["adapter_names"] = list(adapters)
            out = self.model(
                input_ids=ids.to(self.device),
                attention_mask=mask.to(self.device),
                position_ids=positions.to(self.device),
                use_cache=True,
                logits_to_keep=keep,
                **chosen,
            )
        return out.logits.float(), cache


def stacked(prefixes: Sequence[Prefix], lengths: Sequence[int]) -> tuple[Any, Tensor]:
    """A cache with the first `lengths` tokens of each prefix as its rows, the shorter ones padded on the left, and its
    mask (rows, tokens)."""
    from transformers import DynamicCache

    width = max(lengths)
    mask = torch.ones(len(prefixes), width, dtype=torch.long)
    for row, length in enumerate(lengths):
        mask[row, : width - length] = 0
    same = all(prefix is prefixes[0] for prefix in prefixes) and min(lengths) == width

    def rows(layer: int, side: int) -> Tensor:
        if same:
            return prefixes[0].layers[layer][side][:, :width].expand(len(prefixes), -1, -1, -1)
        parts = [p.layers[layer][side][:, :length] for p, length in zip(prefixes, lengths, strict=True)]
        return torch.stack([F.pad(part, (0, 0, width - part.shape[1], 0)) for part in parts])

    if not width:
        return DynamicCache(), mask
    layers = range(len(prefixes[0].layers))
    return DynamicCache([(rows(layer, 0), rows(layer, 1)) for layer in layers]), mask
