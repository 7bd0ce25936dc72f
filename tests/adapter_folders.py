"""Small adapter folders with random weights, written by PEFT itself as anybody's adapter would be."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from assistant.engine.adapters import head_form
from assistant.engine.heads import Head, input_size, save_head
from assistant.engine.manifest import BASE, Manifest, Operation, read_manifest, write_manifest
from assistant.workshop.recipe import Bottleneck, Lora, Method
from assistant.workshop.training import base_model, with_adapter


def write_adapter(
    folder: Path,
    operation: Operation = "classify",
    method: Method | None = None,
    labels: tuple[str, ...] = ("no", "perhaps", "yes"),
    seed: int = 0,
    scale: float = 0.05,
    layers: int | None = None,
    metrics: dict[str, float] | None = None,
) -> Path:
    """A folder as PEFT's `save_pretrained` leaves it, with random weights, a head and a manifest."""
    torch.manual_seed(seed)
    model = with_adapter(base_model(layers), method or Lora(rank=4))
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=scale)
    # The embeddings are not trained; PEFT would ask a hub whether they were resized.
    model.save_pretrained(folder, save_embedding_layers=False)
    view, outputs = head_form(operation, len(labels))
    weight = torch.randn(outputs, input_size(view, 384)) * 0.1
    save_head(Head(view, weight, torch.zeros(outputs)), folder / "head.safetensors")
    manifest = Manifest(
        name=folder.name,
        operation=operation,
        base=BASE,
        layers=layers,
        labels=labels,
        threshold=0.5,
        metrics=metrics or {},
    )
    write_manifest(manifest, folder)
    return folder


def write_multitask_adapter(folder: Path, seed: int = 0) -> Path:
    """A folder with random weights and two heads, "mood" to classify and "errors" to tag."""
    write_adapter(folder, seed=seed)
    (folder / "head.safetensors").unlink()
    whole = read_manifest(folder)
    write_manifest(whole.model_copy(update={"operation": "multitask", "labels": ("mood", "errors")}), folder)
    for number, (name, operation) in enumerate({"mood": "classify", "errors": "tag"}.items()):
        head = folder / name
        head.mkdir()
        torch.manual_seed(seed + number)
        view, outputs = head_form(operation, 3)  # type: ignore[arg-type]
        weight = torch.randn(outputs, input_size(view, 384)) * 0.1
        save_head(Head(view, weight, torch.zeros(outputs)), head / "head.safetensors")
        changes = {"name": name, "operation": operation, "threshold": 0.6 + number / 10}
        write_manifest(whole.model_copy(update=changes), head)
    return folder


def with_tensors(folder: Path, **changes: torch.Tensor) -> None:
    """Overwrite tensors of the folder's weight file."""
    path = folder / "adapter_model.safetensors"
    save_file({**load_file(path), **changes}, path)


BOTTLENECK = Bottleneck(size=8)
