"""Foreign adapter folders: each way to be wrong gets one sentence, and nothing is run or half loaded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from adapter_folders import with_tensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.engine.adapters import AdapterStore, LoadedAdapter, load_adapter
from assistant.engine.base import BaseInfo
from assistant.engine.embedded import SHA256, Dimensions
from assistant.errors import AdapterError

BASE = BaseInfo("all-MiniLM-L6-v2", SHA256, 0, "int8", 0)
FILES = ["adapter_config.json", "adapter_model.safetensors", "head.safetensors", "onebase.json"]
QUERY_A = "base_model.model.encoder.layer.0.attention.self.query.lora_A.weight"


def load(folder: Path) -> LoadedAdapter:
    return load_adapter(folder, BASE, Dimensions())


@pytest.fixture
def folder(adapters: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of a sound folder, to be spoilt."""
    return Path(shutil.copytree(adapters("classify"), tmp_path / "copy"))


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_sound_folder_loads(folder: Path) -> None:
    adapter = load(folder)
    assert adapter.info.labels == ("no", "perhaps", "yes")
    assert adapter.kind == "lora"
    # Rank 4 on 36 linear layers, and the head.
    assert adapter.info.parameters == 4 * 6 * (4 * (384 + 384) + 2 * (384 + 1536)) + 768 * 3 + 3
    assert adapter.nbytes < 700_000


def test_layers_are_all_where_the_manifest_does_not_say(
    folder: Path, adapters: Callable[[str], Path]
) -> None:
    manifest = json.loads((folder / "onebase.json").read_text())
    del manifest["layers"]
    (folder / "onebase.json").write_text(json.dumps(manifest))
    whole, student = load(folder), load(adapters("student classify"))
    assert (whole.layers, student.layers) == (6, 2)
    assert {layer for layer, _ in student.parts} == {0, 1}
    assert student.nbytes < 0.4 * whole.nbytes


@pytest.fixture
def several(adapters: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of a sound folder with several heads, to be spoilt."""
    return Path(shutil.copytree(adapters("multitask"), tmp_path / "several"))


def test_a_head_is_the_adapter_above_it_and_costs_no_further_weights(several: Path) -> None:
    store = AdapterStore(BASE, Dimensions(), 10**9)
    mood, errors, whole = (store.get(path) for path in (several / "mood", several / "errors", several))
    assert len(store) == 1
    assert mood.parts is errors.parts is whole.parts
    assert (mood.info.threshold, errors.info.threshold) == (0.6, 0.7)
    assert (mood.info.task, errors.info.task) == ("classify", "tag")
    heads = 3 * 768 + 3 + 3 * 384 + 3
    assert whole.info.parameters == whole.heads["mood"].info.parameters + 3 * 384 + 3
    assert whole.nbytes < mood.nbytes + heads * 4


def test_a_head_that_is_forgotten_is_read_anew(several: Path) -> None:
    store = AdapterStore(BASE, Dimensions(), 10**9)
    assert store.get(several / "mood").info.threshold == 0.6
    edit(several / "mood" / "onebase.json", threshold=0.8)
    store.forget(several / "other")
    assert store.get(several / "mood").info.threshold == 0.6
    store.forget(several / "mood")
    assert store.get(several / "mood").info.threshold == 0.8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": ["mood", "../mood"]}, "head '../mood'"),
        ({"labels": ["mood", "absent"]}, "absent"),
        ({"labels": [f"head-{i}" for i in range(21)]}, "21 heads; expected at most 20"),
        ({"labels": ["mood"], "layers": 2}, "lowest 2 layers"),
    ],
)
def test_heads_that_are_not_what_the_adapter_says(several: Path, change: dict[str, Any], said: str) -> None:
    edit(several / "onebase.json", **change)
    with pytest.raises(AdapterError, match=said):
        load(several)


def test_a_head_of_another_base_or_within_a_head_is_refused(several: Path) -> None:
    edit(several / "mood" / "onebase.json", operation="multitask")
    with pytest.raises(AdapterError, match="several heads"):
        load(several)
    edit(several / "mood" / "onebase.json", operation="classify", layers=3)
    with pytest.raises(AdapterError, match="another layers"):
        load(several)


def test_a_folder_that_is_no_head_of_the_adapter_is_refused(several: Path) -> None:
    shutil.copytree(several / "mood", several / "other")
    with pytest.raises(AdapterError, match="no head 'other'; it has: mood, errors"):
        AdapterStore(BASE, Dimensions(), 10**9).get(several / "other")


@pytest.mark.parametrize(
    "name", ["adapter_config.json", "adapter_model.safetensors", "head.safetensors", "onebase.json"]
)
def test_missing_or_truncated_files(folder: Path, name: str) -> None:
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(AdapterError, match=name):
        load(folder)
    path.unlink()
    with pytest.raises(AdapterError, match=name):
        load(folder)


def test_missing_folder() -> None:
    with pytest.raises(AdapterError, match="no adapter folder"):
        load(Path("nowhere/at-all"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"r": 10**6}, "r 1000000; expected a number from 1 to 256"),
        ({"r": "16"}, "r '16'"),
        ({"r": True}, "r True"),
        ({"r": 8}, "has shape"),
        ({"lora_alpha": -1}, "lora_alpha -1"),
        ({"lora_alpha": float("inf")}, "lora_alpha"),
        ({"peft_type": "IA3"}, "serves LORA, BOTTLENECK"),
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias"),
        ({"modules_to_save": ["pooler"]}, "modules_to_save"),
    ],
)
def test_configurations_that_are_not_served(folder: Path, changes: dict[str, Any], said: str) -> None:
    edit(folder / "adapter_config.json", **changes)
    with pytest.raises(AdapterError, match=said):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base": {"name": "other", "sha256": "0" * 64, "quantization": "int8"}}, "made for the base other"),
        ({"labels": []}, "labels"),
        ({"labels": ["a", "b"]}, "head.safetensors"),
        ({"operation": "dance"}, "operation"),
        ({"temperature": 0}, "temperature"),
        ({"threshold": 2}, "threshold"),
        ({"surprise": 1}, "surprise"),
        ({"format": 2}, "format"),
        ({"layers": 0}, "layers"),
        ({"layers": 7}, "is for 7 layers; the loaded base has 6"),
        ({"layers": 3}, "layer.3.*only the lowest 3 layers"),
    ],
)
def test_manifests_that_do_not_fit(folder: Path, changes: dict[str, Any], said: str) -> None:
    edit(folder / "onebase.json", **changes)
    with pytest.raises(AdapterError, match=said):
        load(folder)


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({QUERY_A: torch.full((4, 384), torch.nan)}, "not finite"),
        ({QUERY_A: torch.full((4, 384), 1e6)}, "not finite as float16"),
        ({QUERY_A: torch.zeros(4, 384, dtype=torch.int64)}, "not finite"),
        ({QUERY_A: torch.zeros(4, 100)}, "has shape"),
        ({QUERY_A.replace("layer.0", "layer.99"): torch.zeros(4, 384)}, "which this base has not"),
        ({"os.system": torch.zeros(1)}, "which this base has not"),
        ({QUERY_A.replace("lora_A", "bottleneck_down"): torch.zeros(4, 384)}, "has shape"),
    ],
)
def test_weights_that_do_not_fit(folder: Path, tensors: dict[str, torch.Tensor], said: str) -> None:
    with_tensors(folder, **tensors)
    with pytest.raises(AdapterError, match=said):
        load(folder)


def test_half_of_a_pair_is_refused(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    del tensors[QUERY_A]
    save_file(tensors, path)
    with pytest.raises(AdapterError, match="lacks"):
        load(folder)


def test_a_pickle_is_named_and_not_read(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(AdapterError, match=r"adapter_model\.bin.*only \.safetensors is read"):
        load(folder)


def test_oversized_files_are_refused_before_they_are_read(folder: Path) -> None:
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        with (folder / name).open("r+b") as file:
            file.truncate(65_000_000)  # sparse: it takes no room on the disk
        with pytest.raises(AdapterError, match=f"{name} is over"):
            load(folder)
        (folder / "adapter_config.json").unlink(missing_ok=name == "adapter_config.json")
        shutil.copy(folder / "onebase.json", folder / "adapter_config.json")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["adapter_config.json", "onebase.json", "head.safetensors"]),
    content=st.binary(max_size=300),
)
def test_any_bytes_get_a_sentence(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    original = path.read_bytes()
    try:
        path.write_bytes(content)
        with pytest.raises(AdapterError):
            load(folder)
    finally:
        path.write_bytes(original)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.sampled_from(["r", "lora_alpha", "peft_type", "use_dora", "rank_pattern"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
)
def test_any_configuration_value_loads_or_gets_a_sentence(folder: Path, key: str, value: Any) -> None:
    path = folder / "adapter_config.json"
    original = path.read_text()
    try:
        edit(path, **{key: value})
        load(folder)
    except AdapterError as error:
        assert folder.name in str(error)
    finally:
        path.write_text(original)
