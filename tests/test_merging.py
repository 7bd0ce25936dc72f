"""Merging: the copy answers as base and adapter do together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from adapter_folders import write_adapter
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from assistant.engine.encoder import EncoderEngine
from assistant.errors import DataError
from assistant.workshop.merging import export
from assistant.workshop.recipe import Lora
from assistant.workshop.training import base_model

TEXT = "The kettle is warm, and nobody minds."


@torch.inference_mode()
def states(model: torch.nn.Module, folder: Path) -> Tensor:
    """(1, tokens, 384), as somebody would compute them with transformers."""
    read = AutoTokenizer.from_pretrained(folder)(TEXT, return_tensors="pt")
    found: Tensor = model(**read).last_hidden_state
    return found


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize(
    ("method", "layers"), [(Lora(rank=4), None), (Lora(rank=2, alpha=1, targets=("query", "value")), 2)]
)
def test_merged_and_unmerged_agree(
    method: Lora, layers: int | None, tmp_path: Path, encoder: EncoderEngine
) -> None:
    adapter = write_adapter(tmp_path / "adapter", method=method, layers=layers, scale=0.1)
    (adapter / "README.md").write_text("---\nlibrary_name: peft\n---\n\n# The mood of kettles\n")
    folder = tmp_path / "merged"
    export(adapter, folder)
    merged = AutoModel.from_pretrained(folder, add_pooling_layer=False)
    unmerged = PeftModel.from_pretrained(base_model(layers), adapter)
    own, theirs = states(merged, folder), states(unmerged, folder)
    assert torch.allclose(own, theirs, atol=1e-4)
    assert not torch.allclose(own, states(base_model(layers), folder), atol=0.1)
    head = load_file(folder / "head.safetensors")
    logits = torch.cat([own[:, 0], own.mean(1)], -1) @ head["weight"].float().T + head["bias"].float()
    (served,) = encoder.classify([TEXT], adapter)
    assert logits.softmax(-1)[0].tolist() == pytest.approx(served.probabilities, abs=0.03)
    card = (folder / "README.md").read_text()
    assert card.count("---\n") == 2 and "# The mood of kettles" in card
    assert not {"adapter_config.json", "adapter_model.safetensors"} & {f.name for f in folder.iterdir()}
    with pytest.raises(DataError, match="exists already"):
        export(adapter, folder)


def test_the_heads_of_several_tasks_come_along(adapters: Callable[[str], Path], tmp_path: Path) -> None:
    export(adapters("multitask"), tmp_path / "merged")
    assert {path.parent.name for path in tmp_path.rglob("head.safetensors")} == {"mood", "errors"}


def test_a_bottleneck_cannot_be_merged(adapters: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only a LoRA"):
        export(adapters("bottleneck"), tmp_path / "merged")
    assert not list(tmp_path.iterdir())
