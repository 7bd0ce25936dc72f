"""The ladder: records that are complete, resumed and independent of each other; table, plot and command."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from assistant.cli import main
from assistant.engine.base import Classification, TextOrPair
from assistant.engine.echo import EchoEngine
from assistant.engine.encoder import EncoderEngine
from assistant.errors import DataError
from assistant.workshop import plot
from assistant.workshop.dataset import Dataset, read_dataset
from assistant.workshop.ladder import Record, _latency, climb, configured
from assistant.workshop.methods import Fitted, LabelledTask, Method, Stopped, Watch
from assistant.workshop.methods.adapter import TrainedAdapter
from assistant.workshop.methods.feature_based import FeatureBased
from assistant.workshop.methods.few_shot import FewShot
from assistant.workshop.methods.fine_tuning import FineTuning
from assistant.workshop.methods.lora import Lora
from assistant.workshop.methods.zero_shot import ZeroShot

COLOURS = ["red", "blue", "green", "yellow", "white", "black", "orange", "purple", "brown", "pink"]
ANIMALS = ["cat", "dog", "horse", "sheep", "mouse", "goat", "cow", "fox", "wolf", "bear"]


def write_data(path: Path) -> Path:
    lines = [f"colour,I saw a {word} thing" for word in COLOURS] + [
        f"animal,I saw a {word}" for word in ANIMALS
    ]
    path.write_text("\n".join(["label,text", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return read_dataset(write_data(tmp_path / "words.csv"))


class Crashing(Method):
    id, title, description = "crashing", "Crashing", "Crashes."

    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        raise KeyError("what")


class Broken(Method):
    id, title, description = "broken", "Broken", "Fails."

    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        raise DataError("It cannot be learnt.")


@dataclass(frozen=True)
class Started(Method):
    id, title, description = "started", "Started", "Begins with an adapter."

    start: str = "taught"

    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        watch(0.5, "")
        return Fitted(TrainedAdapter(task.engine, task.adapters[self.start]), 0, 0, 0.0)


def test_what_a_text_takes_the_first_time_is_no_latency(dataset: Dataset) -> None:
    class Slow:
        """Takes its time for each text that it has not seen."""

        labels = dataset.labels
        seen: ClassVar[set[object]] = set()

        def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
            time.sleep(0 if self.seen.issuperset(inputs) else 0.02)
            self.seen.update(inputs)
            return [Classification(self.labels, (0.5, 0.5)) for _ in inputs]

    assert _latency(Slow(), dataset.dev) < 10


def test_each_method_has_a_record_and_a_failure_costs_only_itself(
    dataset: Dataset, encoder: EncoderEngine, tmp_path: Path
) -> None:
    methods = [ZeroShot(), Broken(), FewShot(2), Lora(rank=2, epochs=1), Crashing()]
    rungs = list(climb(dataset, methods, encoder, tmp_path / "out"))
    assert [rung.error for rung in rungs][1] == "It cannot be learnt."
    assert "entailment" in rungs[0].error
    assert rungs[4].error == "It failed: KeyError: 'what'."
    few, lora = rungs[2].record, rungs[3].record
    assert few and lora and not rungs[2].error
    assert (few.rows, few.dev_rows, few.labels, few.parameters) == (16, 4, 2, 0)
    assert few.name == "Few-shot (shots 2)"
    assert 0 <= few.accuracy.low <= few.accuracy.high <= 1
    assert few.latency > 0 and few.bytes == 2 * 384 * 4
    assert lora.parameters > few.parameters and lora.seconds > 0
    assert rungs[3].adapter and encoder.adapter(rungs[3].adapter).labels == ("animal", "colour")
    found = {
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("record.json")
    }
    assert {name.split("-")[0] for name in found} == {"few", "lora"}
    content = json.loads(next((tmp_path / "out").glob("lora-*/record.json")).read_text())
    for key in ("options", "seed", "fingerprint", "versions", "metrics", "parameters", "bytes", "seconds"):
        assert content[key] is not None
    assert not list(tmp_path.rglob("*.tmp"))


def test_what_is_there_is_not_run_again(dataset: Dataset, encoder: EncoderEngine, tmp_path: Path) -> None:
    called: list[str] = []

    def watch(method: Method, fraction: float, note: str) -> bool:
        called.append(method.id)
        return True

    def run(method: Method, data: Dataset = dataset, seed: int = 0) -> Record | None:
        called.clear()
        (rung,) = climb(data, [method], encoder, tmp_path, seed=seed, watch=watch)
        return rung.record

    first = run(FeatureBased())
    assert called
    assert run(FeatureBased()) == first
    assert not called
    for method, data, seed in (
        (FeatureBased(strength=1.0), dataset, 0),
        (FeatureBased(), replace(dataset, train=dataset.train[1:]), 0),
        (FeatureBased(), dataset, 1),
    ):
        run(method, data, seed)
        assert called
    (next(tmp_path.glob("feature-based-*/record.json"))).write_text("{")
    for path in tmp_path.glob("feature-based-*/record.json"):
        path.write_text("{")
    again = run(FeatureBased())
    assert called and again and first
    assert again.metrics == first.metrics


@pytest.mark.parametrize("method", [ZeroShot(), Started()], ids=lambda method: method.id)
def test_what_was_found_through_another_adapter_is_not_known(
    method: Method, dataset: Dataset, tmp_path: Path
) -> None:
    """With the echo, whose adapters are nothing but a manifest."""
    adapter = tmp_path / "plugin" / "adapter"
    adapter.mkdir(parents=True)
    called: list[str] = []

    def watch(method: Method, fraction: float, note: str) -> bool:
        called.append(method.id)
        return True

    def ran(weights: bytes, hypotheses: Mapping[str, str] | None = None) -> bool:
        (adapter / "onebase.json").write_text(json.dumps({"labels": ["entailment", *dataset.labels]}))
        (adapter / "adapter_model.safetensors").write_bytes(weights)
        called.clear()
        folder, adapters = tmp_path / "out", {"taught": adapter}
        (rung,) = climb(dataset, [method], EchoEngine(), folder, adapter, 0, watch, hypotheses, adapters)
        assert rung.record, rung.error
        return bool(called)

    assert ran(b"first") and not ran(b"first")
    assert ran(b"second") and not ran(b"second")
    assert ran(b"second", {"colour": "It is about a colour."}) == (method.id == "zero-shot")


def test_a_stopped_ladder_keeps_what_is_done(
    dataset: Dataset, encoder: EncoderEngine, tmp_path: Path
) -> None:
    def watch(method: Method, fraction: float, note: str) -> bool:
        return method.id != "lora"

    rungs = climb(dataset, [FewShot(), Lora(), FeatureBased()], encoder, tmp_path, watch=watch)
    assert next(rungs).record
    with pytest.raises(Stopped):
        next(rungs)
    assert [path.parent.name[:8] for path in tmp_path.glob("*/record.json")] == ["few-shot"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"shot": "3"}, "no option 'shot'; there are: shots, selection, vote"),
        ({"shots": "many"}, "few-shot, option shots: .*integer"),
        ({"selection": "best"}, "option selection"),
    ],
)
def test_wrong_options_get_a_sentence(given: Mapping[str, str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        configured(FewShot(), given)


def test_options_are_read_as_they_are_typed() -> None:
    assert configured(FewShot(), {"shots": "none", "selection": "diverse"}) == FewShot(None, "diverse")
    assert configured(FineTuning(), {"frozen_layers": "3", "learning_rate": "1e-4"}) == FineTuning(3, 1e-4)
    assert configured(FeatureBased(), {"pooling": "cls", "layer": "4"}) == FeatureBased("cls", 4)


# --- table and plot -----------------------------------------------------------------------------------------


@pytest.fixture
def record(dataset: Dataset, encoder: EncoderEngine, tmp_path: Path) -> Record:
    (rung,) = climb(dataset, [FewShot()], encoder, tmp_path / "out")
    assert rung.record
    return rung.record


def test_table_and_plot_hold_every_record(record: Record, tmp_path: Path) -> None:
    hostile = replace(record, title="<b>$x$ & co</b>", parameters=1234, bytes=10**6)
    rows = plot.table([record, hostile])
    assert all(len(row) == len(plot.COLUMNS) for row in rows)
    assert rows[1][4] == "1,234"
    picture, page = plot.write([record, hostile], tmp_path)
    assert picture.read_bytes().startswith(b"\x89PNG")
    text = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;$x$ &amp; co&lt;/b&gt;" in text and "<b>" not in text
    assert text.count("<svg") == 1
    # Nothing is fetched: no scripts, and references only within the page.
    assert "<script" not in text and "src=" not in text
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', text))
    assert not list(tmp_path.glob("*.tmp"))


# --- the command --------------------------------------------------------------------------------------------


def compare(folder: Path, *arguments: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return CliRunner().invoke(main, ["compare", *arguments])


def test_compare_prints_a_table_and_writes_a_plot(tmp_path: Path) -> None:
    write_data(tmp_path / "words.csv")
    arguments = ["words.csv", "--methods", "few-shot,feature-based:layer=5", "--shots", "3"]
    result = compare(tmp_path, *arguments)
    assert result.exit_code == 0, result.stderr
    assert "16 rows to learn from, 4 dev rows" in result.stdout
    assert re.search(r"Few-shot \(shots 3\) +[01]\.\d{3} +[01]\.\d{3} to", result.stdout)
    assert "Feature-based (layer 5)" in result.stdout
    assert (tmp_path / "words-ladder" / "ladder.png").is_file()
    assert (tmp_path / "words-ladder" / "ladder.html").is_file()
    again = compare(tmp_path, *arguments)
    assert again.stdout == result.stdout  # seconds and latencies too: nothing was run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["words.csv", "--methods", "few-shots"], "did you mean 'few-shot'?"),
        (["words.csv", "--methods", "few-shot:shots"], "expected few-shot:name=value"),
        (["words.csv", "--methods", "few-shot:shots=x"], "option shots"),
        (["words.csv", "--label", "class"], "no column 'class'"),
        (["absent.csv"], "no file"),
    ],
)
def test_compare_refuses_with_a_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    write_data(tmp_path / "words.csv")
    result = compare(tmp_path, *arguments)
    assert result.exit_code == 1
    assert said in result.stderr and "Traceback" not in result.stderr
    assert not (tmp_path / "words-ladder").exists()


@pytest.mark.parametrize("methods", ["zero-shot", "few-shot:shots=4"])
def test_compare_refuses_shots_that_no_method_takes(methods: str, tmp_path: Path) -> None:
    write_data(tmp_path / "words.csv")
    result = compare(tmp_path, "words.csv", "--methods", methods, "--shots", "8")
    assert result.exit_code == 2
    assert "--shots is for few-shot" in result.stderr
