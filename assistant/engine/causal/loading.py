"""A causal base from a folder or from the hub: safetensors only, no remote code, the revision pinned."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from assistant.engine.base import BaseInfo
from assistant.engine.causal import zero_gpu
from assistant.engine.causal.quantization import Plan, Quantization, configuration, plan
from assistant.errors import BaseModelError

# What is fetched of a repository: weights, settings, tokenizer. No code, no pickle.
WEIGHTS = "*.safetensors"
SETTINGS = ("*.json", "*.jinja", "tokenizer.model", "merges.txt", "vocab.txt")
_LOCAL = {"trust_remote_code": False, "local_files_only": True}
OFFER = "Without --base the embedded base answers, for which nothing has to be fetched."


@dataclass(frozen=True)
class CausalBase:
    """The model in memory with its transformers tokenizer. `window` is its context in tokens."""

    model: Any
    tokenizer: Any
    info: BaseInfo
    device: str
    window: int
    plan: Plan


def load_base(name: str, quantize: Quantization = "auto") -> CausalBase:
    """Load the model of a folder or of a hub id (`owner/model`, or `owner/model@revision`).

    Raises BaseModelError, in a sentence that offers the embedded base where nothing can be fetched.
    """
    # Late, as each of them takes seconds.
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    zero_gpu.announce()
    folder, shown, revision = _located(name)
    weights = _weight_files(folder, shown)
    device = best_device()
    size = sum(file.stat().st_size for file in weights)
    planned = plan(quantize, device, size, free_bytes(device))
    try:
        config = AutoConfig.from_pretrained(folder, **_LOCAL)
        tokenizer = AutoTokenizer.from_pretrained(folder, **_LOCAL)
        arguments: dict[str, Any] = {"dtype": "auto", "use_safetensors": True, "config": config, **_LOCAL}
        if planned.name != "none":
            arguments |= {"quantization_config": configuration(planned), "device_map": {"": device}}
        model = AutoModelForCausalLM.from_pretrained(folder, **arguments)
        if planned.name == "none":
            model = model.to(device)
    except Exception as error:
        raise _unloadable(shown, error) from error
    tokenizer = _checked(tokenizer, shown)
    if getattr(model, "_is_stateful", False) or "linear_attention" in (
        getattr(config, "layer_types", None) or ()
    ):
        raise BaseModelError(
            f"The base {shown!r} has recurrent layers; what is served here has attention in every layer. {OFFER}"
        )
    model.eval().requires_grad_(False)
    info = BaseInfo(
        name=shown,
        sha256=_sha256(weights),
        parameters=model.num_parameters(),
        quantization=f"{planned.said}, on {device}",
        bytes=int(model.get_memory_footprint()),
        revision=revision,
    )
    return CausalBase(model, tokenizer, info, device, _window(config), planned)


def load_tokenizer(name: str) -> tuple[Any, str, int]:
    """Tokenizer, name and window of a base, without its weights. Raises BaseModelError."""
    from transformers import AutoConfig, AutoTokenizer

    folder, shown, _ = _located(name, weights=False)
    try:
        config = AutoConfig.from_pretrained(folder, **_LOCAL)
        tokenizer = AutoTokenizer.from_pretrained(folder, **_LOCAL)
    except Exception as error:
        raise _unloadable(shown, error) from error
    return _checked(tokenizer, shown), shown, _window(config)


def _checked(tokenizer: Any, shown: str) -> Any:
    if not getattr(tokenizer, "is_fast", False):
        raise BaseModelError(f"The base {shown!r} has no tokenizer.json, which is what is read here.")
    return tokenizer


def _unloadable(shown: str, error: Exception) -> BaseModelError:
    """The sentence for whatever a foreign folder makes transformers raise."""
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    return BaseModelError(f"The base {shown!r} cannot be loaded: {reason[:300].rstrip('.')}.")


def best_device() -> str:
    """cuda, mps or cpu."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def free_bytes(device: str) -> int:
    """Free memory where the model will lie."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    import psutil

    return int(psutil.virtual_memory().available)


def _located(name: str, weights: bool = True) -> tuple[Path, str, str]:
    """Folder, name to show, and revision of what `--base` names."""
    path = Path(name).expanduser()
    if path.is_dir():
        return path, path.resolve().name, ""
    repository, _, revision = name.partition("@")
    if repository.count("/") != 1 or repository.startswith((".", "/", "~")):
        raise BaseModelError(
            f"There is no base {name!r}; expected a folder, a hub id such as owner/model, or 'embedded'. {OFFER}"
        )
    import huggingface_hub

    try:
        snapshot = huggingface_hub.snapshot_download(
            repository, revision=revision or None, allow_patterns=[*SETTINGS, *[WEIGHTS] * weights]
        )
    except Exception as error:  # no hub, no such model, no right to it: all are told alike
        detail = f"the hub does not give it ({type(error).__name__})"
        raise BaseModelError(f"The base {name!r} cannot be fetched: {detail}. {OFFER}") from error
    # The snapshot's folder bears the commit's hash: what a branch meant today stays what was loaded.
    folder = Path(snapshot)
    return folder, repository.rpartition("/")[2], folder.name


def _weight_files(folder: Path, shown: str) -> list[Path]:
    files = sorted(folder.glob(WEIGHTS))
    if not files:
        others = sorted(p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth", ".gguf"))
        hint = f"; it holds {others[0]!r}" if others else ""
        raise BaseModelError(
            f"The base {shown!r} has no .safetensors file, and nothing else is read{hint}. {OFFER}"
        )
    return files


def _sha256(files: list[Path]) -> str:
    """Of all weight files, one after the other."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()


def _window(config: Any) -> int:
    """The context in tokens; what a configuration does not say is taken to be 2,048."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    for name in ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length"):
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return 2048
