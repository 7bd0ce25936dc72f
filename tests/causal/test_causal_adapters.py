"""LoRA adapters on a causal base: found, refused, chosen for each row."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from causal_folders import PROMPTS, skill, write_lora
from engine_conformance import AdapterFor

from assistant.engine.causal.engine import CausalEngine
from assistant.engine.causal.loading import load_base
from assistant.engine.causal.model import BARE, CausalModel
from assistant.errors import AdapterError
from assistant.prompts import load_prompt


def test_rows_with_different_adapters_answer_as_if_alone(
    engine: CausalEngine, folder: Path, adapter_for: AdapterFor, tmp_path: Path
) -> None:
    labels = tuple(load_prompt(PROMPTS / "sentiment", "en").labels)
    folders = [
        write_lora(tmp_path / f"s{seed}", folder, engine.info.sha256, PROMPTS / "sentiment", labels, seed)
        for seed in (1, 2)
    ]
    names = [label.name for label in load_prompt(PROMPTS / "sentiment", "en").labels.values()]
    skills = [engine.skills.get(path, "en") for path in (*folders, adapter_for("classify"))]  # type: ignore[arg-type]
    rows = [engine._row(each, "A warm, funny film.", names) for each in skills]
    together = engine._batcher._forward(rows)
    alone = [engine._batcher._forward([row])[0] for row in rows]
    for a, b in zip(together, alone, strict=True):
        assert a == pytest.approx(b, abs=1e-3)
    assert abs(alone[0][0] - alone[1][0]) > 0.01
    assert abs(alone[0][0] - alone[2][0]) > 0.01


def test_an_adapter_for_this_base_is_found_beside_the_embedded_ones(
    engine: CausalEngine, folder: Path, tmp_path: Path
) -> None:
    labels = tuple(load_prompt(PROMPTS / "sentiment", "en").labels)
    plugin = tmp_path / "adapter"
    sha256 = engine.info.sha256
    write_lora(tmp_path / "adapters" / folder.name, folder, sha256, PROMPTS / "sentiment", labels, 3)
    engine.prepare([skill("sentiment", "text-classification", plugin)])
    info = engine.adapter(plugin)
    assert (info.method, info.name, info.path) == ("lora", folder.name, plugin)


def test_a_lora_may_be_larger_than_an_adapter_of_the_embedded_base(
    engine: CausalEngine, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.engine.causal.skills.MAX_LORA_BYTES", 100)
    labels = tuple(load_prompt(PROMPTS / "sentiment", "en").labels)
    lora = write_lora(tmp_path / "big", folder, engine.info.sha256, PROMPTS / "sentiment", labels, 1)
    with pytest.raises(AdapterError, match="is over 100 bytes"):
        engine.adapter(lora)
    # That of Qwen3-4B with rank 16 has 66,060,288 bytes.
    monkeypatch.undo()
    weights = lora / "adapter_model.safetensors"
    with weights.open("r+b") as file:
        file.truncate(66_060_288)
    with pytest.raises(AdapterError, match="is damaged"):  # it was read
        engine.adapter(lora)


def test_a_pass_that_waited_for_the_first_adapter_is_not_answered_by_it(folder: Path, tmp_path: Path) -> None:
    base = load_base(str(folder), "none")
    labels = tuple(load_prompt(PROMPTS / "sentiment", "en").labels)
    lora = write_lora(tmp_path / "one", folder, base.info.sha256, PROMPTS / "sentiment", labels, 1)
    model, ids = CausalModel(base), torch.tensor([[1, 2, 3, 4]])
    alone, _ = model.forward(ids, None, [BARE], None, 1)

    class Late:
        """A lock that is had only when the adapter is there."""

        def __enter__(self) -> None:
            model._lock = lock
            model.add_adapter("lora_one", lora)

        def __exit__(self, *_: object) -> None:
            pass

    lock = model._lock
    model._lock = Late()  # type: ignore[assignment]
    waited, _ = model.forward(ids, None, [BARE], None, 1)
    assert torch.allclose(waited, alone, atol=1e-4)
    other, _ = model.forward(ids, None, ["lora_one"], None, 1)
    assert not torch.allclose(other, alone, atol=1e-2)


def test_a_foreign_or_damaged_adapter_is_refused(engine: CausalEngine, folder: Path, tmp_path: Path) -> None:
    labels = tuple(load_prompt(PROMPTS / "sentiment", "en").labels)
    foreign = write_lora(tmp_path / "foreign", folder, "0" * 64, PROMPTS / "sentiment", labels, 1)
    with pytest.raises(AdapterError, match="made for the base tiny"):
        engine.adapter(foreign)
    pickled = write_lora(tmp_path / "p", folder, engine.info.sha256, PROMPTS / "sentiment", labels, 1)
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    with pytest.raises(AdapterError, match=r"only \.safetensors is read"):
        engine.adapter(pickled)
