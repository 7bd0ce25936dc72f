"""The echo engine keeps the contract of engines, reads manifests kindly, and needs no torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from engine_conformance import OPERATIONS, AdapterFor, EngineConformance

from assistant.applications import Payload, Request
from assistant.classification import TextClassification
from assistant.engine.base import Engine
from assistant.engine.echo import EchoEngine
from assistant.errors import AdapterError


@pytest.fixture
def engine() -> EchoEngine:
    return EchoEngine()


@pytest.fixture
def adapter_for(tmp_path: Path) -> AdapterFor:
    folders = {operation: tmp_path / operation for operation in OPERATIONS}
    for operation, folder in folders.items():
        folder.mkdir()
        manifest = {"name": operation, "labels": [f"{operation}-{i}" for i in range(3)], "threshold": 0.4}
        if operation == "multitask":
            manifest["labels"] = ["classify", "tag"]
            for head in ("classify", "tag"):
                (folder / head).mkdir()
                (folder / head / "onebase.json").write_text(json.dumps({"operation": head}))
        (folder / "onebase.json").write_text(json.dumps(manifest))
    return folders.__getitem__


class TestEchoEngine(EngineConformance):
    pass


class EmbedOnly(EchoEngine):
    operations = frozenset({"embed"})
    classify, choose, tag = Engine.classify, Engine.choose, Engine.tag
    extract, rank, generate = Engine.extract, Engine.rank, Engine.generate
    multitask = Engine.multitask


def test_an_engine_may_do_less(tmp_path: Path) -> None:
    EngineConformance().test_refuses_an_operation_that_it_does_not_list(EmbedOnly(), tmp_path)


def test_another_adapter_gives_another_answer(engine: EchoEngine, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    one, two = (engine.classify(["a fine day"], folder)[0] for folder in folders)
    assert one.labels == two.labels == ("yes", "no")
    assert one.probabilities != two.probabilities


def test_two_sides_of_a_pair_differ(engine: EchoEngine, tmp_path: Path) -> None:
    there, back = engine.classify([("a cat", "an animal"), ("an animal", "a cat")], tmp_path)
    assert there != back


def test_texts_that_share_words_lie_close(engine: EchoEngine) -> None:
    cat, cats, rain = engine.embed(["the black cat sleeps", "the white cat sleeps", "heavy rain tomorrow"])
    assert cat @ cats > 0.5 > cat @ rain


def test_extracts_the_sentence_that_was_asked_for(engine: EchoEngine, tmp_path: Path) -> None:
    context = "It rained. The river Rhine flows through Basel. Nobody came."
    (found,) = engine.extract([("Which river flows through Basel?", context)], tmp_path)
    assert context[found[0].start : found[0].end] == "The river Rhine flows through Basel."
    (nothing,) = engine.extract([("Who?", "")], tmp_path)
    assert nothing[0].start == nothing[0].end


def test_generates_the_prompt(engine: EchoEngine) -> None:
    assert "".join(engine.generate("Say this\nagain.")) == "Say this\nagain."


def test_a_manifest_may_say_little(engine: EchoEngine, tmp_path: Path) -> None:
    (tmp_path / "onebase.json").write_text(
        '{"labels": ["a", "b"], "metrics": {"accuracy": 0.9, "note": "dev"}}'
    )
    info = engine.adapter(tmp_path)
    assert (info.name, info.labels, info.metrics) == (tmp_path.name, ("a", "b"), {"accuracy": 0.9})


@pytest.mark.parametrize(
    "manifest",
    ["{", "[]", '"text"', "[" * 100_000, '{"labels": 5}', '{"threshold": "high"}', '{"metrics": 3}'],
)
def test_a_damaged_manifest_is_one_sentence(engine: EchoEngine, tmp_path: Path, manifest: str) -> None:
    (tmp_path / "onebase.json").write_text(manifest)
    with pytest.raises(AdapterError, match="manifest"):
        engine.adapter(tmp_path)


def test_a_classification_application_runs_on_it(engine: EchoEngine, tmp_path: Path) -> None:
    class Mood(TextClassification):
        id, title, description, adapter = "mood", "Mood", "Tells the mood.", tmp_path

    request = Request("", payload=Payload({"text": "what a wonderful grey morning"}))
    text, labels, spans = Mood().answer(request, engine)
    assert text.text
    assert {score.label for score in labels.scores} == {"yes", "no"}
    assert spans.spans  # each word counts, so leaving one out is seen


def test_needs_no_torch() -> None:
    code = "import sys, assistant.engine.echo; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
