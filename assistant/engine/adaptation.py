"""The arithmetic of adapters in a batch whose rows carry different ones.

All adapters of one kind that a batch needs are stacked; each row picks its own by index, so a layer costs two batched
products whatever the number of adapters (as in S-LoRA and Punica, arXiv 2311.03285 and 2310.18547), where PEFT loops
over the adapters in Python.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine.adapters import LoadedAdapter
from assistant.engine.transformer import Adaptation, Slot

# (layer, slot) -> stacked matrices, the first dimension counts the adapters.
Stack = dict[tuple[int, Slot], tuple[Tensor, ...]]
_FUSED = ("query", "key", "value")


def lora_stack(adapters: Sequence[LoadedAdapter]) -> Stack:
    """For each layer and slot A (n, in, r) and B (n, r, out), scaling included; smaller ranks are padded with zeros.

    Query, key and value are one slot: their A lie side by side and B is block-diagonal.
    """
    rank = max(adapter.size for adapter in adapters)
    stack: Stack = {}
    places = {place for adapter in adapters for place in adapter.parts}
    for layer in sorted({layer for layer, _ in places}):
        for slot, modules in _slots({module for at, module in places if at == layer}).items():
            shapes = [_shape(adapters, layer, module) for module in modules]
            a = torch.zeros(len(adapters), shapes[0][0], rank * len(modules))
            b = torch.zeros(len(adapters), rank * len(modules), sum(out for _, out in shapes))
            column = 0
            for position, (module, (_, out)) in enumerate(zip(modules, shapes, strict=True)):
                for number, adapter in enumerate(adapters):
                    part = adapter.parts.get((layer, module))
                    if part is not None:
                        first = position * rank
                        a[number, :, first : first + adapter.size] = part["lora_A"].t()
                        b[number, first : first + adapter.size, column : column + out] = (
                            part["lora_B"].t().float() * adapter.scaling
                        )
                column += out
            stack[layer, slot] = (a, b)
    return stack


def _slots(modules: set[str]) -> dict[Slot, tuple[str, ...]]:
    """Which modules make up which slot. The fused slot is always complete, so that its columns are in place."""
    slots: dict[Slot, tuple[str, ...]] = {}
    if modules & set(_FUSED):
        slots["qkv"] = _FUSED
    for slot in ("attention.output", "intermediate", "output"):
        if slot in modules:
            slots[slot] = (slot,)
    return slots


def _shape(adapters: Sequence[LoadedAdapter], layer: int, module: str) -> tuple[int, int]:
    """(in, out) of a module, from any adapter that changes it, or from a sibling in the fused slot."""
    for name in (module, *_FUSED):
        for adapter in adapters:
            part = adapter.parts.get((layer, name))
            if part is not None:
                return part["lora_A"].shape[1], part["lora_B"].shape[0]
    raise KeyError((layer, module))


def bottleneck_stack(adapters: Sequence[LoadedAdapter]) -> Stack:
    """For each layer and slot down (n, out, size), its bias (n, 1, size), up (n, size, out) and its bias."""
    width = max(adapter.size for adapter in adapters)
    stack: Stack = {}
    for layer, slot in {place for adapter in adapters for place in adapter.parts}:
        out = next(
            a.parts[layer, slot]["bottleneck_up"].shape[0] for a in adapters if (layer, slot) in a.parts
        )
        down, up = torch.zeros(len(adapters), out, width), torch.zeros(len(adapters), width, out)
        down_bias, up_bias = torch.zeros(len(adapters), 1, width), torch.zeros(len(adapters), 1, out)
        for number, adapter in enumerate(adapters):
            part = adapter.parts.get((layer, slot))
            if part is not None:
                down[number, :, : adapter.size] = part["bottleneck_down"].t()
                up[number, : adapter.size] = part["bottleneck_up"].t()
                down_bias[number, 0, : adapter.size] = part["bottleneck_down_bias"]
                up_bias[number, 0] = part["bottleneck_up_bias"]
        stack[layer, slot] = (down, down_bias, up, up_bias)  # type: ignore[index]
    return stack


class _Rows:
    """A slice of the batch and, for each of its rows, the number of its adapter in the stack."""

    def __init__(self, rows: slice, stack: Stack, index: Tensor | None) -> None:
        self.rows, self.stack, self.index = rows, stack, index

    def chosen(self, tensor: Tensor) -> Tensor:
        """The stacked matrices by row; with a single adapter its matrix, which broadcasts."""
        return tensor[0] if self.index is None else tensor.index_select(0, self.index)


class LoraRows(_Rows):
    """y + (x A) B."""

    def adapt(self, layer: int, slot: Slot, x: Tensor, y: Tensor) -> Tensor:
        """See `transformer.Adaptation`."""
        matrices = self.stack.get((layer, slot))
        if matrices is None:
            return y
        a, b = (self.chosen(matrix) for matrix in matrices)
        if self.index is None:
            flat = y.view(-1, y.shape[-1])
            return flat.addmm_(x.reshape(-1, x.shape[-1]) @ a, b).view(y.shape)
        return y.baddbmm_(torch.bmm(x, a), b)


class BottleneckRows(_Rows):
    """y + up(gelu(down(y)))."""

    def adapt(self, layer: int, slot: Slot, x: Tensor, y: Tensor) -> Tensor:
        """See `transformer.Adaptation`."""
        matrices = self.stack.get((layer, slot))
        if matrices is None:
            return y
        down, down_bias, up, up_bias = (self.chosen(matrix) for matrix in matrices)
        return y + F.gelu(y @ down + down_bias) @ up + up_bias


class Stacks:
    """Builds adaptations, keeping the last few stacks: the same adapters meet again and again.

    `kept` bounds how many adapters the kept stacks hold together (float32, about 3 MB each at rank 16).
    """

    def __init__(self, kept: int = 24) -> None:
        self.kept = kept
        self._stacks: OrderedDict[tuple[LoadedAdapter, ...], Stack] = OrderedDict()

    def adaptations(self, adapters: Sequence[LoadedAdapter | None]) -> list[Adaptation]:
        """For rows ordered by kind (`order`), one adaptation per kind that occurs. None: a row of the bare base."""
        result: list[Adaptation] = []
        for kind, build, rows_of in (
            ("lora", lora_stack, LoraRows),
            ("bottleneck", bottleneck_stack, BottleneckRows),
        ):
            members = [
                (i, adapter)
                for i, adapter in enumerate(adapters)
                if adapter is not None and adapter.kind == kind
            ]
            if not members:
                continue
            unique = tuple(
                sorted({adapter for _, adapter in members}, key=lambda adapter: str(adapter.info.path))
            )
            stack = self._stacks.pop(unique, None) or build(unique)
            self._stacks[unique] = stack
            while len(self._stacks) > 1 and sum(map(len, self._stacks)) > self.kept:
                self._stacks.popitem(last=False)
            index = (
                None if len(unique) == 1 else torch.tensor([unique.index(adapter) for _, adapter in members])
            )
            result.append(rows_of(slice(members[0][0], members[-1][0] + 1), stack, index))
        return result


def order(adapter: LoadedAdapter | None) -> int:
    """Sort key that puts rows of one kind next to each other."""
    return 2 if adapter is None else 0 if adapter.kind == "lora" else 1
