"""Spaces' ZeroGPU: what the model computes runs in functions under `spaces.GPU`, with values that can be pickled."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
import torch
from causal_folders import PROMPTS, TASKS, skill, write_base, write_lora

from assistant import deadlines
from assistant.engine.base import Choice
from assistant.engine.causal import zero_gpu
from assistant.engine.causal.engine import CausalEngine
from assistant.engine.causal.loading import load_base
from assistant.engine.echo import EchoEngine
from assistant.prompts import load_prompt

# Like the real one it takes another way for generators, and what crosses over is pickled.
SPACES = """
import inspect
import pickle
import threading

calls = []

def _over(value):
    return pickle.loads(pickle.dumps(value))

def GPU(function):
    def whole(*args):
        calls.append((function.__name__, threading.get_ident()))
        return _over(function(*_over(args)))

    def pieces(*args):
        calls.append((function.__name__, threading.get_ident()))
        for piece in function(*_over(args)):
            yield _over(piece)

    return pieces if inspect.isgeneratorfunction(function) else whole
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("bases") / "tiny")


@pytest.fixture
def spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "spaces.py").write_text(SPACES)
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("spaces", None)


def answers(engine: CausalEngine, root: Path) -> dict[str, Any]:
    """What each operation gives."""
    engine.prepare([skill(name, task, root / name / "adapter") for name, task in TASKS.values()])
    folders = {operation: root / name / "adapter" for operation, (name, _) in TASKS.items()}
    return {
        "classify": engine.classify(["A warm, funny film.", "meh"], folders["classify"]),
        "choose": engine.choose([Choice("Why?", ("It rained.", "No."))], folders["choose"]),
        "rank": engine.rank([["One thing.", "Another thing."]], folders["rank"]),
        "extract": engine.extract([("Who?", "Ana came.")], folders["extract"]),
        "generate": list(engine.generate("The committee", max_tokens=5)),
    }


def test_the_answers_are_the_same_and_all_of_them_computed_under_the_decorator(
    base: Path, spaces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = CausalEngine(load_base(str(base), "none"), EchoEngine(), shots=1)
    forward, inside = engine.model.forward, []

    def watched(*args: Any, **kwargs: Any) -> Any:
        names = {frame.f_code.co_name for frame in frames()}
        inside.append(bool(names & {"whole", "pieces"}))
        return forward(*args, **kwargs)

    monkeypatch.setattr(engine.model, "forward", watched)
    decorated = answers(engine, tmp_path)
    engine.close()
    assert inside and all(inside)
    assert {name for name, _ in sys.modules["spaces"].calls} == {"likelihoods", "written"}
    sys.modules.pop("spaces")
    monkeypatch.undo()
    assert not zero_gpu.active()
    plain = CausalEngine(load_base(str(base), "none"), EchoEngine(), shots=1)
    assert answers(plain, tmp_path) == decorated
    plain.close()


def frames() -> Iterator[Any]:
    frame = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def test_spaces_comes_before_cuda_is_asked_for(
    base: Path, spaces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: asked.append("spaces" in sys.modules))
    load_base(str(base), "none")
    assert asked and all(asked)


def test_on_zero_gpu_the_adapters_are_there_beforehand_and_each_visitor_computes_alone(
    base: Path, spaces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    engine = CausalEngine(load_base(str(base), "none"), EchoEngine(), shots=1)
    labels = tuple(load_prompt(PROMPTS / "sentiment", "en").labels)
    plugin = tmp_path / "plugin" / "adapter"
    own = plugin.parent / "adapters" / base.name
    write_lora(own, base, engine.info.sha256, PROMPTS / "sentiment", labels, 1)
    broken = tmp_path / "broken" / "adapter"
    engine.prepare(
        [
            skill("nowhere", "text-classification", broken),
            skill("sentiment", "text-classification", plugin),
        ]
    )
    assert len(engine.model.model.peft_config) == 1
    assert engine.classify([], plugin) == []
    engine.classify(["meh"], plugin)
    assert sys.modules["spaces"].calls == [("likelihoods", threading.get_ident())]
    engine.close()


def test_a_call_with_a_deadline_knows_the_visitor() -> None:
    visitor = ContextVar[str]("visitor")
    visitor.set("ana")
    assert deadlines.call(visitor.get, 30) == "ana"
    assert list(deadlines.stream(lambda: iter([visitor.get()]), 30)) == ["ana"]
