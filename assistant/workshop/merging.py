"""Merging: a LoRA's update added to the base's own weights, in a copy of the base.

What it does: W' = W + (alpha / rank) · B A for every layer that the adapter changes. The copy answers as base and
adapter do together and needs neither PEFT nor this engine; but it is a whole model, for one task.

When to use it: where a skill has to run outside of the assistant. Within it an adapter stays beside the shared base.

Reference: Hu et al. 2021 (arXiv 2106.09685), section 4.1: merged, "there is no additional inference latency".
"""

from __future__ import annotations

import re
import shutil
import warnings
from pathlib import Path
from typing import Any

from assistant.engine import embedded
from assistant.engine.adapters import WEIGHTS
from assistant.engine.manifest import CONFIG, read_json, read_manifest
from assistant.engine.manifest import FILE as MANIFEST
from assistant.errors import DataError
from assistant.workshop.publishing import replacing
from assistant.workshop.training import base_model

CARD = "README.md"
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.S)
_TEXT = """---
library_name: transformers
---

This is a copy of {base} with the adapter below merged into its weights.

    from safetensors.torch import load_file
    from transformers import AutoModel, AutoTokenizer

    encoder = AutoModel.from_pretrained(FOLDER, add_pooling_layer=False)
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    head = load_file(FOLDER + "/head.safetensors")  # of several heads, each is in a folder of its own

A head is one linear layer, `x @ weight.T + bias`. For tags, spans and ranks x is the state of each token; for classes
and choices it is the first token's state and, behind it, the mean of all. Labels and temperature stand in `{manifest}`.
"""


def encoder_with(adapter: Path) -> Any:
    """The base, with as many layers as the adapter has, and the adapter in it, as a float32 BertModel: low-rank updates
    merged into its weights, bottlenecks beside them. Raises AdapterError."""
    from peft import PeftModel

    import assistant.engine.bottleneck  # noqa: F401  (registers itself with PEFT)

    base = base_model(read_manifest(adapter).layers)
    with warnings.catch_warnings():
        # PEFT 0.21 asks transformers for an attribute that transformers 5.23 renamed.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        adapted = PeftModel.from_pretrained(base, adapter)
    return adapted.merge_and_unload() if _is_lora(adapter) else adapted.get_base_model()


def export(adapter: Path, out: Path) -> None:
    """Write a folder that transformers loads: the merged model, its tokenizer, the adapter's head or heads, and its
    card. Raises AdapterError, and DataError where there is something already and for a bottleneck, which is no part of
    the weights."""
    if out.exists():
        raise DataError(f"{str(out)!r} exists already; expected a new folder.")
    if not _is_lora(adapter):
        raise DataError(f"The adapter {adapter.name!r} is no LoRA; only a LoRA can be merged into the base.")
    encoder = encoder_with(adapter)
    with replacing(out) as folder:
        shutil.copytree(adapter, folder, ignore=shutil.ignore_patterns(WEIGHTS, CONFIG, CARD))
        encoder.save_pretrained(folder)
        for file in embedded.folder().glob("*token*.json"):
            shutil.copyfile(file, folder / file.name)
        text = _TEXT.format(base=embedded.NAME, manifest=MANIFEST)
        if (adapter / CARD).is_file():
            text += _FRONT_MATTER.sub("", (adapter / CARD).read_text(encoding="utf-8"))
        (folder / CARD).write_text(text, encoding="utf-8")


def _is_lora(adapter: Path) -> bool:
    return bool(read_json(adapter, CONFIG).get("peft_type") == "LORA")
