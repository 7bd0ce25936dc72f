"""The manifest of an adapter folder, `onebase.json`: what the weights do not say about themselves."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open

from assistant.engine import embedded
from assistant.engine.base import AdapterInfo
from assistant.errors import AdapterError

FILE = "onebase.json"
# PEFT's own.
CONFIG = "adapter_config.json"
MAX_CONFIG_BYTES = 1_000_000

Operation = Literal["classify", "choose", "tag", "extract", "rank"]
# The operation of an adapter that has several heads, each in a folder of its own within the adapter's.
MULTITASK: Final = "multitask"
# What a head, and so its folder, may be called.
HEAD_NAME = r"^[a-z][a-z0-9-]{0,39}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BaseReference(_Strict):
    """The base that the adapter was trained on."""

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    quantization: str


# The one that comes with the package, as it is served.
BASE = BaseReference(name=embedded.NAME, sha256=embedded.SHA256, quantization="int8")


class Data(_Strict):
    """One source of training data."""

    path: str
    licence: str
    rows: int = Field(ge=0)


class Manifest(_Strict):
    """What the engine and the page need to know beside the weights.

    `temperature` divides the logits; `threshold` is the best probability below which the application abstains;
    `metrics` holds what was measured on dev, by name, the main one first, with `<name>_low` and `<name>_high` for 95 %
    intervals; `comparisons` the main metric of other methods on the same data; `null_bias` is taken from the score of
    "not in the text" of an adapter that extracts; `layers` is set when the adapter is one of only the lowest so many
    layers of the base. Of a multi-task adapter the labels are the names of its heads; what is said here of one adapter
    each head says of itself, in a manifest of its own.
    """

    format: Literal[1] = 1
    name: str = Field(min_length=1, max_length=100)
    operation: Operation | Literal["multitask"]
    base: BaseReference
    layers: int | None = Field(default=None, ge=1)
    labels: tuple[str, ...] = Field(min_length=1, max_length=1000)
    fields: tuple[str, ...] = Field(default=("text",), min_length=1)
    temperature: float = Field(default=1.0, gt=0, le=100, allow_inf_nan=False)
    threshold: float = Field(default=0.0, ge=0, le=1)
    null_bias: float = Field(default=0.0, ge=-100, le=100, allow_inf_nan=False)
    metrics: dict[str, float] = {}
    comparisons: dict[str, float] = {}
    data: tuple[Data, ...] = ()
    training: dict[str, Any] = {}

    @property
    def head_operation(self) -> Operation:
        """What its one head does. Raises AdapterError for an adapter with several."""
        if self.operation == MULTITASK:
            raise AdapterError(f"The adapter {self.name!r} has several heads; expected the folder of one.")
        return self.operation

    def info(self, path: Path, method: str, parameters: int, size: int) -> AdapterInfo:
        """What the engine tells about the adapter."""
        return AdapterInfo(
            path=path,
            name=self.name,
            method=method,
            task=self.operation,
            labels=self.labels,
            threshold=self.threshold,
            parameters=parameters,
            bytes=size,
            metrics=dict(self.metrics),
            data=tuple(source.path for source in self.data),
            licence="; ".join(dict.fromkeys(source.licence for source in self.data)) or "none stated",
        )


def read_manifest(folder: Path) -> Manifest:
    """Read `onebase.json`. Raises AdapterError naming the folder and what is wrong."""
    return _parsed(folder, read_json(folder, FILE))


def read_info(folder: Path) -> AdapterInfo:
    """What a folder's files say of its adapter, without an engine: nothing is checked against a base, and torch is not
    imported. Raises AdapterError for a file that cannot be read."""
    manifest = read_manifest(folder)
    method = str(read_json(folder, CONFIG).get("peft_type", "")).lower()
    files = sorted(folder.rglob("*.safetensors"))
    size = sum(file.stat().st_size for file in (folder / CONFIG, *files))
    return manifest.info(folder, method, sum(map(_parameters, files)), size)


def _parameters(file: Path) -> int:
    """How many numbers a safetensors file holds, by its head."""
    try:
        with safe_open(file, framework="numpy") as tensors:
            return sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise AdapterError(
            f"The adapter {file.parent.name!r}: {file.name} cannot be read ({error})."
        ) from None


def _parsed(folder: Path, content: dict[str, Any]) -> Manifest:
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise AdapterError(
            f"The adapter {folder.name!r}: {FILE}, {where}: {first['msg']} (it is {first['input']!r:.60})."
        ) from None


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """A JSON object from a small file of the folder. Raises AdapterError."""
    path = folder / name
    if not folder.is_dir():
        # Not the whole path: the sentence may reach a visitor.
        raise AdapterError(f"There is no adapter folder {'/'.join(folder.parts[-2:])!r}.")
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise AdapterError(f"The adapter {folder.name!r}: {name} is over {MAX_CONFIG_BYTES:,} bytes.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AdapterError(f"The adapter {folder.name!r} has no {name}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterError(f"The adapter {folder.name!r}: {name} is no JSON ({error}).") from None
    if not isinstance(content, dict):
        raise AdapterError(
            f"The adapter {folder.name!r}: {name} holds a {type(content).__name__}, expected an object."
        )
    return content


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write `onebase.json`, whole or not at all."""
    temporary = folder / (FILE + ".tmp")
    temporary.write_text(json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n", encoding="utf-8")
    temporary.replace(folder / FILE)
