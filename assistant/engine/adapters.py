"""Adapter folders: reading, checking, and keeping them resident within a byte budget.

A folder holds PEFT's `adapter_config.json` and `adapter_model.safetensors`, our `head.safetensors` and
`onebase.json`. A multi-task adapter has a folder for each head instead of the one head, with `head.safetensors` and
`onebase.json` in it; such a folder can be named like an adapter's: it is the adapter above it with that one head.
Whatever does not fit the loaded base is refused with a sentence. Tensors stay resident in float16.
"""

from __future__ import annotations

import math
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from assistant.engine.base import AdapterInfo, BaseInfo
from assistant.engine.embedded import Dimensions
from assistant.engine.heads import Head, View, input_size
from assistant.engine.manifest import (
    CONFIG,
    FILE,
    HEAD_NAME,
    MULTITASK,
    BaseReference,
    Manifest,
    Operation,
    read_json,
    read_manifest,
)
from assistant.errors import AdapterError

WEIGHTS, HEAD = "adapter_model.safetensors", "head.safetensors"
MAX_RANK = 256
MAX_HEADS = 20
MAX_FILE_BYTES = 64_000_000
Kind = Literal["lora", "bottleneck"]

_MODULES = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention.output",
    "intermediate.dense": "intermediate",
    "output.dense": "output",
}
_KEY = re.compile(
    r"base_model\.model\.(?:bert\.)?encoder\.layer\.(?P<layer>\d{1,3})\.(?P<module>[a-z.]+)\."
    r"(?P<part>lora_[AB]|bottleneck_(?:down|up))\.(?P<name>weight|bias)"
)
# What PEFT's LoRA can do and this engine does not serve, with the value that means "not used".
_UNSERVED: dict[str, Any] = {
    "use_dora": False, "bias": "none", "rank_pattern": {}, "alpha_pattern": {}, "modules_to_save": None,
    "fan_in_fan_out": False, "lora_bias": False, "megatron_config": None, "trainable_token_indices": None,
}  # fmt: skip
_HEADS: dict[Operation, tuple[View, int | None]] = {
    "classify": ("pooled", None),
    "choose": ("pooled", 1),
    "tag": ("tokens", None),
    "extract": ("tokens", 2),
    "rank": ("tokens", 1),
}
# (layer, module) -> the two matrices, and the biases of a bottleneck.
Parts = dict[tuple[int, str], dict[str, Tensor]]


def head_form(operation: Operation, labels: int) -> tuple[View, int]:
    """What the head of an operation reads, and how many outputs it has for so many labels."""
    view, outputs = _HEADS[operation]
    return view, outputs or labels


@dataclass(frozen=True, eq=False)
class LoadedAdapter:
    """A checked adapter in memory. `layers` counts the base's layers that it runs through; `size` is the rank or the
    bottleneck's width; `scaling` is LoRA's alpha / rank. It has one `head`, or `heads` by name: this same adapter with
    each of its heads."""

    info: AdapterInfo
    manifest: Manifest
    layers: int
    kind: Kind
    size: int
    scaling: float
    parts: Parts
    head: Head | None = None
    heads: Mapping[str, LoadedAdapter] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps resident."""
        heads = [each.head for each in (self, *self.heads.values()) if each.head]
        tensors = (tensor for part in self.parts.values() for tensor in part.values())
        return sum(head.nbytes for head in heads) + sum(tensor.nbytes for tensor in tensors)

    def logits(self, hidden: Tensor, mask: Tensor) -> Tensor | dict[str, Tensor]:
        """Those of one row's states (1, tokens, d) and mask (1, tokens): (outputs,) or (tokens, outputs) of the head,
        or by the head's name."""
        if self.head is None:
            return {name: each.head(hidden, mask)[0] for name, each in self.heads.items() if each.head}
        return self.head(hidden, mask)[0]


def load_adapter(folder: Path, base: BaseInfo | BaseReference, dimensions: Dimensions) -> LoadedAdapter:
    """Read an adapter folder and check it against the base. Raises AdapterError."""
    config, manifest = read_json(folder, CONFIG), read_manifest(folder)
    if manifest.base.sha256 != base.sha256:
        raise AdapterError(
            f"The adapter {folder.name!r} was made for the base {manifest.base.name} ({manifest.base.sha256[:8]}…); "
            f"the loaded base is {base.name} ({base.sha256[:8]}…)."
        )
    kind, size, scaling = read_method(folder, config)
    layers = _layers(folder, manifest, dimensions)
    parts = _parts(folder, kind, size, layers, dimensions)
    count = sum(t.numel() for part in parts.values() for t in part.values())
    stored = sum((folder / name).stat().st_size for name in (CONFIG, WEIGHTS))
    bare = LoadedAdapter(
        manifest.info(folder, kind, count, stored), manifest, layers, kind, size, scaling, parts
    )
    if manifest.operation != MULTITASK:
        return _with_head(bare, folder, manifest, dimensions)
    if len(manifest.labels) > MAX_HEADS:
        raise AdapterError(
            f"The adapter {folder.name!r} has {len(manifest.labels)} heads; expected at most {MAX_HEADS}."
        )
    heads = {name: _read_head(bare, folder, name, dimensions) for name in manifest.labels}
    info = replace(
        bare.info,
        parameters=count + sum(each.info.parameters - count for each in heads.values()),
        bytes=stored + sum(each.info.bytes - stored for each in heads.values()),
    )
    return replace(bare, info=info, heads=heads)


def _read_head(bare: LoadedAdapter, folder: Path, name: str, dimensions: Dimensions) -> LoadedAdapter:
    """The adapter with one of its heads, from the head's folder. Raises AdapterError."""
    if not re.fullmatch(HEAD_NAME, name):
        raise AdapterError(f"The adapter {folder.name!r} has a head {name!r:.60}; expected a name like nli.")
    manifest = read_manifest(folder / name)
    for key in ("base", "layers"):
        if getattr(manifest, key) != getattr(bare.manifest, key):
            raise AdapterError(f"The adapter {folder.name!r}: its head {name!r} says another {key} than it.")
    return _with_head(bare, folder / name, manifest, dimensions)


def _with_head(
    bare: LoadedAdapter, folder: Path, manifest: Manifest, dimensions: Dimensions
) -> LoadedAdapter:
    """The adapter with the head in `folder`."""
    head = _head(folder, manifest, dimensions)
    count = bare.info.parameters + head.weight.numel() + head.bias.numel()
    stored = bare.info.bytes + (folder / HEAD).stat().st_size
    return replace(bare, info=manifest.info(folder, bare.kind, count, stored), manifest=manifest, head=head)


def read_method(folder: Path, config: dict[str, Any]) -> tuple[Kind, int, float]:
    """Kind, rank or width, and scaling, from PEFT's configuration. Raises AdapterError for what is not served."""
    name = config.get("peft_type")
    if name == "BOTTLENECK":
        return "bottleneck", _bounded(folder, "size", config.get("size")), 1.0
    if name != "LORA":
        raise AdapterError(
            f"The adapter {folder.name!r} is of type {name!r:.40}; this engine serves LORA, BOTTLENECK."
        )
    for key, unused in _UNSERVED.items():
        if config.get(key, unused) not in (unused, None):
            raise AdapterError(
                f"The adapter {folder.name!r} uses {key}={config[key]!r:.40}, which is not served."
            )
    rank, alpha = _bounded(folder, "r", config.get("r")), config.get("lora_alpha")
    if not isinstance(alpha, int | float) or not 0 < alpha <= 4096:
        raise AdapterError(
            f"The adapter {folder.name!r} has lora_alpha {alpha!r:.40}; expected a number in (0, 4096]."
        )
    return "lora", rank, alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _bounded(folder: Path, key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_RANK:
        raise AdapterError(
            f"The adapter {folder.name!r} has {key} {value!r:.40}; expected a number from 1 to {MAX_RANK}."
        )
    return value


def _layers(folder: Path, manifest: Manifest, dimensions: Dimensions) -> int:
    layers = manifest.layers or dimensions.layers
    if layers > dimensions.layers:
        raise AdapterError(
            f"The adapter {folder.name!r} is for {layers} layers; the loaded base has {dimensions.layers}."
        )
    return layers


def _parts(folder: Path, kind: Kind, size: int, layers: int, dimensions: Dimensions) -> Parts:
    hidden, inner = dimensions.hidden, dimensions.intermediate
    widths = dict.fromkeys(_MODULES.values(), (hidden, hidden))
    widths |= {"intermediate": (hidden, inner), "output": (inner, hidden)}
    parts: Parts = {}
    for key, tensor in read_tensors(folder, WEIGHTS).items():
        match = _KEY.fullmatch(key)
        module = _MODULES.get(match["module"]) if match else None
        if match is None or module is None or int(match["layer"]) >= dimensions.layers:
            raise AdapterError(f"The adapter {folder.name!r} changes {key!r:.100}, which this base has not.")
        if int(match["layer"]) >= layers:
            raise AdapterError(
                f"The adapter {folder.name!r} changes {key!r:.100}; its manifest says that it has only the lowest "
                f"{layers} layers."
            )
        inputs, outputs = widths[module]
        name = match["part"] + ("" if match["name"] == "weight" else "_bias")
        expected = {
            "lora_A": (size, inputs), "lora_B": (outputs, size), "bottleneck_down": (size, outputs),
            "bottleneck_up": (outputs, size), "bottleneck_down_bias": (size,), "bottleneck_up_bias": (outputs,),
        }.get(name)  # fmt: skip
        if not name.startswith(kind) or expected != tuple(tensor.shape):
            raise AdapterError(
                f"The adapter {folder.name!r}: {key!r:.100} has shape {tuple(tensor.shape)}, expected {expected}."
            )
        parts.setdefault((int(match["layer"]), module), {})[name] = tensor
    wanted = {"lora_A", "lora_B"} if kind == "lora" else {
        "bottleneck_down", "bottleneck_up", "bottleneck_down_bias", "bottleneck_up_bias",
    }  # fmt: skip
    for (layer, module), part in parts.items():
        if set(part) != wanted:
            raise AdapterError(
                f"The adapter {folder.name!r}: layer {layer}, {module} lacks {wanted - set(part)}."
            )
        if kind == "bottleneck" and module not in ("attention.output", "output"):
            raise AdapterError(f"The adapter {folder.name!r}: a bottleneck at {module!r} is not served.")
    if not parts:
        raise AdapterError(f"The adapter {folder.name!r} holds no weights.")
    return parts


def _head(folder: Path, manifest: Manifest, dimensions: Dimensions) -> Head:
    view, outputs = head_form(manifest.head_operation, len(manifest.labels))
    tensors = read_tensors(folder, HEAD)
    expected = {"weight": (outputs, input_size(view, dimensions.hidden)), "bias": (outputs,)}
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if shapes != expected:
        raise AdapterError(f"The adapter {folder.name!r}: {HEAD} has {shapes!r:.150}, expected {expected}.")
    return Head(view, tensors["weight"].float(), tensors["bias"].float())


def read_tensors(folder: Path, name: str, limit: int = MAX_FILE_BYTES) -> dict[str, Tensor]:
    """All tensors of a safetensors file of at most `limit` bytes, as float16, finite. Raises AdapterError."""
    path = folder / name
    if not path.is_file():
        others = [p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth", ".pkl")]
        hint = f"; it holds {others[0]!r}, and only .safetensors is read" if others else ""
        raise AdapterError(f"The adapter {folder.name!r} has no {name}{hint}.")
    if path.stat().st_size > limit:
        raise AdapterError(f"The adapter {folder.name!r}: {name} is over {limit:,} bytes.")
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (not a mapping)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise AdapterError(f"The adapter {folder.name!r}: {name} is damaged ({str(error)[:80]}).") from None
    for key, tensor in tensors.items():
        if not tensor.is_floating_point() or not torch.isfinite(half := tensor.to(torch.float16)).all():
            raise AdapterError(f"The adapter {folder.name!r}: {key!r:.100} is not finite as float16.")
        tensors[key] = half
    return tensors


def _is_head(folder: Path) -> bool:
    """Whether this is a head's folder within a multi-task adapter's."""
    return (
        (folder / FILE).is_file() and not (folder / CONFIG).is_file() and (folder.parent / CONFIG).is_file()
    )


class AdapterStore:
    """Resident adapters by folder, least recently used first to leave beyond `budget` bytes. Thread-safe."""

    def __init__(self, base: BaseInfo, dimensions: Dimensions, budget: int) -> None:
        self.base, self.dimensions, self.budget = base, dimensions, budget
        self._resident: OrderedDict[Path, LoadedAdapter] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, folder: Path) -> LoadedAdapter:
        """The adapter of this folder, or of this head's, loaded when it is not resident. Raises AdapterError."""
        if folder not in self._resident and _is_head(folder):
            return self._head(self.get(folder.parent), folder)
        with self._lock:
            adapter = self._resident.get(folder)
            if adapter is None:
                adapter = load_adapter(folder, self.base, self.dimensions)
                self._resident[folder] = adapter
            self._resident.move_to_end(folder)
            # The newest stays even when it alone is over the budget: somebody is asking for it now.
            while self.nbytes > self.budget and len(self._resident) > 1:
                self._resident.popitem(last=False)
            return adapter

    def forget(self, folder: Path) -> None:
        """Read this folder anew when it is next asked for."""
        with self._lock:
            self._resident.pop(folder, None)
            # A head is resident within the adapter above it.
            above = self._resident.get(folder.parent)
            if above is not None and folder.name in above.heads:
                del self._resident[folder.parent]

    @staticmethod
    def _head(adapter: LoadedAdapter, folder: Path) -> LoadedAdapter:
        if folder.name not in adapter.heads:
            known = ", ".join(adapter.heads) or "none"
            raise AdapterError(
                f"The adapter {folder.parent.name!r} has no head {folder.name!r}; it has: {known}."
            )
        return adapter.heads[folder.name]

    @property
    def nbytes(self) -> int:
        """Bytes of all resident adapters."""
        return sum(adapter.nbytes for adapter in self._resident.values())

    def __len__(self) -> int:
        return len(self._resident)
