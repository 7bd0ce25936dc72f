"""A causal base is found, checked and quantized, or a sentence says why not."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from causal_folders import write_base

from assistant.engine.base import Engine
from assistant.engine.causal.engine import CausalEngine
from assistant.engine.causal.loading import load_base
from assistant.engine.causal.quantization import plan
from assistant.engine.echo import EchoEngine
from assistant.errors import BaseModelError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("bases") / "tiny")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[CausalEngine]:
    engine = CausalEngine(load_base(str(folder), "none"), EchoEngine())
    yield engine
    engine.close()


def test_says_what_was_loaded(engine: CausalEngine, folder: Path) -> None:
    info = engine.info
    assert info.name == folder.name
    assert 100_000 < info.parameters < 1_000_000
    assert info.quantization == "not quantized, on cpu"
    assert math.isclose(info.bytes, info.parameters * 4, rel_tol=0.1)


def test_what_cannot_be_loaded_is_told_and_the_embedded_base_offered(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BaseModelError, match=r"no base 'gpt-7'.*embedded"):
        load_base("gpt-7")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BaseModelError, match=r"owner/model.*cannot be fetched.*embedded base"):
        load_base("owner/model@main")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(BaseModelError, match=r"no \.safetensors.*pytorch_model\.bin"):
        load_base(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"garbage")
    with pytest.raises(BaseModelError, match="cannot be loaded"):
        load_base(str(tmp_path), "none")


def test_code_that_comes_with_a_base_is_not_run(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "coded")
    config = json.loads((copy / "config.json").read_text())
    config |= {
        "model_type": "unheard_of",
        "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"},
    }
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "evil.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    with pytest.raises(BaseModelError, match="cannot be loaded"):
        load_base(str(copy), "none")


GIGABYTE = 1_000_000_000


def test_auto_picks_by_memory_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.engine.causal.quantization.find_spec", lambda name: object())
    assert plan("auto", "cpu", 2 * GIGABYTE, 8 * GIGABYTE).name == "none"
    assert plan("auto", "cpu", 8 * GIGABYTE, 8 * GIGABYTE).name == "int8"
    four = plan("auto", "cuda", 14 * GIGABYTE, 8 * GIGABYTE)
    assert four.said == "4 bit (NF4) by bitsandbytes (picked: 14.0 GB of weights, 8.0 GB free on cuda)"
    with pytest.raises(BaseModelError, match=r"40\.0 GB of weights"):
        plan("auto", "cuda", 40 * GIGABYTE, 8 * GIGABYTE)


def test_a_missing_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.engine.causal.quantization.find_spec", lambda name: None)
    with pytest.raises(BaseModelError, match=r"4bit needs bitsandbytes; install it with"):
        plan("4bit", "cpu", 1, 1)
    with pytest.raises(BaseModelError, match=r"int8 needs torchao"):
        plan("int8", "mps", 1, 1)
    with pytest.raises(BaseModelError, match="not served on MPS"):
        plan("4bit", "mps", 1, 1)
    assert plan("none", "cpu", 1, 1).said == "not quantized"


@pytest.mark.parametrize("quantize", ["int8", "4bit"])
def test_a_quantized_base_answers_like_the_whole_one(
    folder: Path, engine: CausalEngine, quantize: Any
) -> None:
    pytest.importorskip("bitsandbytes")
    quantized: Engine = CausalEngine(load_base(str(folder), quantize), EchoEngine())
    try:
        assert "bitsandbytes" in quantized.info.quantization
        assert quantized.info.bytes < 0.8 * engine.info.bytes
        assert len(list(quantized.generate("The committee", max_tokens=4))) <= 4
    finally:
        quantized.close()
