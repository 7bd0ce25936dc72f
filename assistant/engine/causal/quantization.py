"""How a causal base is held in memory: as it is, in int8 or in 4 bit, and what `auto` picks.

8 bit is LLM.int8() of bitsandbytes (Dettmers et al. 2022, arXiv 2208.07339) or torchao's int8 weights; 4 bit is NF4
with double quantization (QLoRA: Dettmers et al. 2023, arXiv 2305.14314).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias, get_args

from assistant.errors import BaseModelError

Quantization: TypeAlias = Literal["auto", "none", "int8", "4bit"]
QUANTIZATIONS: tuple[Quantization, ...] = get_args(Quantization)
# The weights may take this share of the free memory; the rest is for caches and whatever else runs.
SHARE = 0.7
# Bytes of the quantized weights against those of the 16-bit ones; embeddings stay as they are, hence a little more.
_SIZES: dict[str, float] = {"none": 1.0, "int8": 0.6, "4bit": 0.35}


@dataclass(frozen=True)
class Plan:
    """What to do: `name` is none, int8 or 4bit; `package` makes it; `reason` says why, for people."""

    name: Literal["none", "int8", "4bit"]
    package: str = ""
    reason: str = ""

    @property
    def said(self) -> str:
        """For people: the form, who makes it and why."""
        form = {"none": "not quantized", "int8": "int8", "4bit": "4 bit (NF4)"}[self.name]
        return " ".join(part for part in (form, self.package and f"by {self.package}", self.reason) if part)


def plan(wanted: Quantization, device: str, weights: int, free: int) -> Plan:
    """How to hold `weights` bytes on a device with `free` bytes. Raises BaseModelError, naming the package to install,
    when what is wanted or needed is missing."""
    if wanted == "none":
        return Plan("none")
    if wanted != "auto":
        return Plan(wanted, _package(wanted, device))
    room = SHARE * free
    available = [name for name in ("none", "int8", "4bit") if name == "none" or _packages(name, device)]
    for name in available:
        if _SIZES[name] * weights <= room:
            reason = f"(picked: {_gigabytes(weights)} of weights, {_gigabytes(free)} free on {device})"
            return Plan(name, "" if name == "none" else _package(name, device), reason)  # type: ignore[arg-type]
    hint = "" if "4bit" in available else "; 4 bit might do: pip install 'onebase[quantized]'"
    raise BaseModelError(
        f"The base has {_gigabytes(weights)} of weights, and {device} has {_gigabytes(free)} free{hint}."
    )


def configuration(plan: Plan) -> Any:
    """The `quantization_config` for transformers, of a plan that quantizes."""
    import torch
    from transformers import BitsAndBytesConfig, TorchAoConfig

    if plan.package == "torchao":
        from torchao.quantization import Int8WeightOnlyConfig

        return TorchAoConfig(Int8WeightOnlyConfig())
    if plan.name == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _packages(name: str, device: str) -> list[str]:
    """Installed packages that serve this form on this device, the better one first."""
    candidates = []
    if device != "mps":
        candidates.append("bitsandbytes")
    if name == "int8":
        candidates.append("torchao")
    return [package for package in candidates if find_spec(package) is not None]


def _package(name: str, device: str) -> str:
    found = _packages(name, device)
    if found:
        return found[0]
    if name == "4bit" and device == "mps":
        raise BaseModelError("4 bit is not served on MPS; int8 is, with: pip install torchao")
    needed = "torchao" if device == "mps" else "bitsandbytes"
    install = "torchao" if device == "mps" else "'onebase[quantized]'"
    raise BaseModelError(f"--quantize {name} needs {needed}; install it with: pip install {install}")


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
