"""The methods under their common contract: each learns, says what it cost, stops, and goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import assistant_plugins.sentiment
import numpy as np
import pytest

from assistant.engine.echo import EchoEngine
from assistant.engine.encoder import EncoderEngine
from assistant.engine.manifest import read_manifest
from assistant.errors import DataError, UnsupportedTask
from assistant.workshop.data import Example
from assistant.workshop.ladder import configured
from assistant.workshop.methods import LabelledTask, Method, Stopped, built_in, inputs_of
from assistant.workshop.methods.bottleneck import Bottleneck
from assistant.workshop.methods.feature_based import FeatureBased
from assistant.workshop.methods.few_shot import FewShot, diverse
from assistant.workshop.methods.fine_tuning import FineTuning
from assistant.workshop.methods.lora import Lora
from assistant.workshop.methods.trained import slug, training_settings
from assistant.workshop.methods.zero_shot import ZeroShot

COLOURS = ["red", "blue", "green", "yellow", "white", "black"]
ANIMALS = ["cat", "dog", "horse", "sheep", "mouse", "goat"]
ROWS = tuple(Example((f"I saw a {word} thing in town",), "colour") for word in COLOURS) + tuple(
    Example((f"I saw a {word} running in town",), "animal") for word in ANIMALS
)


def go_on(fraction: float, note: str) -> bool:
    return True


@pytest.fixture
def task(encoder: EncoderEngine, tmp_path: Path) -> LabelledTask:
    return LabelledTask(encoder, ("animal", "colour"), ROWS, tmp_path, dev=ROWS, name="My rows.csv")


def test_each_describes_itself_once_and_its_options_have_defaults() -> None:
    methods = built_in()
    assert len({method.id for method in methods}) == len(methods)
    for method in methods:
        assert method.title and method.description.endswith(".")
        assert type(method)(**method.options) == method


@pytest.mark.parametrize(
    "method",
    [
        Lora(rank=2, learning_rate=3e-3, epochs=6),
        Lora(rank=2, learning_rate=6e-3, epochs=12, targets="query+value", dropout=0.1),
        Bottleneck(size=4, learning_rate=3e-3, epochs=6),
        FineTuning(frozen_layers=4, learning_rate=3e-4, epochs=6),
        FineTuning(frozen_layers=6, learning_rate=2e-2, epochs=12),
    ],
    ids=lambda method: f"{method.id}-{getattr(method, 'frozen_layers', '')}{getattr(method, 'targets', '')}",
)
def test_training_learns_and_says_what_it_cost(method: Method, task: LabelledTask) -> None:
    told: list[float] = []
    fitted = method.fit(task, lambda fraction, note: told.append(fraction) or True)  # type: ignore[func-returns-value]
    assert told == sorted(told) and told[-1] == 1
    found = fitted.classifier.predict(inputs_of(ROWS))
    assert [result.label for result in found] == [example.label for example in ROWS]
    assert fitted.classifier.labels == task.labels
    assert fitted.parameters > 0 and fitted.bytes > 0 and fitted.seconds > 0
    if isinstance(method, FineTuning):
        assert fitted.adapter is None
        assert (fitted.parameters == 2 * 768 + 2) == (method.frozen_layers == 6)
    else:
        assert fitted.adapter == task.folder / "adapter"
        assert task.engine.adapter(fitted.adapter).name == "my-rows"
    assert [path.name for path in task.folder.iterdir()] == ["adapter"] * (fitted.adapter is not None)


SENTIMENT = Path(assistant_plugins.sentiment.__file__).parent / "adapter"
# What sets these labels apart is what the adapter was trained for.
OPINIONS = {
    "praise": ["A warm, funny film.", "I would buy it again.", "The staff were kind and quick."],
    "blame": ["A dull, noisy film.", "I want my money back.", "The staff were slow and rude."],
}


@pytest.mark.parametrize(
    "method", [FewShot(start="sentiment"), FeatureBased(start="sentiment"), Lora(epochs=1, start="sentiment")]
)
def test_a_method_may_start_from_an_installed_adapter(
    method: Method, encoder: EncoderEngine, tmp_path: Path
) -> None:
    train = tuple(Example((text,), label) for label, texts in OPINIONS.items() for text in texts)
    task = LabelledTask(
        encoder, ("blame", "praise"), train, tmp_path, train, adapters={"sentiment": SENTIMENT}
    )
    classifier = method.fit(task, go_on).classifier
    held_out = ["What a wonderful evening this was!", "The soup was cold and nobody cared."]
    found = classifier.predict(held_out)
    assert [result.label for result in found] == ["praise", "blame"]
    if isinstance(method, Lora):
        # What the adapter learnt from is the new one's, too.
        manifest = read_manifest(tmp_path / "adapter")
        assert {each.path for each in read_manifest(SENTIMENT).data} < {each.path for each in manifest.data}
    # From the bare base, which reads what texts are about, the same method is less sure.
    (plain,) = replace(method, start=None).fit(task, go_on).classifier.predict(held_out[:1])
    assert isinstance(method, Lora) or max(found[0].probabilities) > max(plain.probabilities)


def test_what_cannot_be_started_from_is_told(task: LabelledTask) -> None:
    with pytest.raises(DataError, match=r"no application 'nonsense'.*; none is"):
        FewShot(start="nonsense").fit(task, go_on)
    with pytest.raises(DataError, match="r 16; the one to be trained has 32"):
        Lora(rank=32, start="sentiment").fit(replace(task, adapters={"sentiment": SENTIMENT}), go_on)


def test_a_stopped_training_goes_on_to_the_same_result(task: LabelledTask, tmp_path: Path) -> None:
    method = Lora(rank=2, epochs=3)
    with pytest.raises(Stopped):
        method.fit(task, lambda fraction, note: fraction < 0.6)
    assert (task.folder / "run" / "checkpoint.safetensors").is_file()
    first: list[float] = []
    resumed = method.fit(task, lambda fraction, note: first.append(fraction) or True)  # type: ignore[func-returns-value]
    assert first[0] > 0.6
    whole = method.fit(replace(task, folder=tmp_path / "whole"), go_on)
    texts = ["a pink thing", "a cow running"]
    for one, other in zip(resumed.classifier.predict(texts), whole.classifier.predict(texts), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


def test_an_adapter_is_trained_on_the_embedded_base_only(task: LabelledTask) -> None:
    with pytest.raises(UnsupportedTask, match="echo"):
        Lora().fit(replace(task, engine=EchoEngine()), go_on)


def test_loras_targets_are_layers_that_there_are() -> None:
    assert configured(Lora(), {"targets": "query+value"}) == Lora(targets="query+value")
    with pytest.raises(
        DataError, match=r"option lora: .* expected some of query, key, value, dense, joined by \+"
    ):
        configured(Lora(), {"targets": "query,key"})


def test_frozen_layers_are_bounded(task: LabelledTask) -> None:
    with pytest.raises(DataError, match="6 layers"):
        FineTuning(frozen_layers=7).fit(task, go_on)


def test_the_fewer_rows_the_more_epochs() -> None:
    epochs = [training_settings(rows, 1e-3, None, 0).epochs for rows in (10, 160, 800, 20_000)]
    assert epochs == [20, 10, 3, 3]
    assert training_settings(10, 1e-3, 2, 0).epochs == 2


@pytest.mark.parametrize("vote", ["prototypes", "neighbours"])
@pytest.mark.parametrize("selection", ["first", "random", "diverse", "similar"])
def test_few_shot_selects_and_votes(selection: str, vote: str, task: LabelledTask) -> None:
    classifier = FewShot(3, selection, vote).fit(task, go_on).classifier  # type: ignore[arg-type]
    labels = [shot.label for shot in classifier.shots]
    # For every input anew: all of them are kept.
    assert labels.count("animal") == labels.count("colour") == (6 if selection == "similar" else 3)
    found = classifier.predict(["I saw a pink thing in town", "I saw a cow running in town"])
    assert [result.label for result in found] == ["colour", "animal"]
    same = FewShot(3, selection, vote).fit(task, go_on).classifier  # type: ignore[arg-type]
    assert [shot.texts for shot in same.shots] == [shot.texts for shot in classifier.shots]


def test_random_shots_depend_on_the_seed(task: LabelledTask) -> None:
    drawn = {
        tuple(s.texts for s in FewShot(3).fit(replace(task, seed=seed), go_on).classifier.shots)
        for seed in range(4)
    }
    assert len(drawn) > 1


def test_similar_shots_are_the_nearest_of_each_label(task: LabelledTask) -> None:
    # With one shot for an input, its prototype is the nearest neighbour itself.
    inputs = ["a reddish thing", "some kind of cat"]
    one = FewShot(1, "similar").fit(task, go_on).classifier.predict(inputs)
    other = FewShot(None, "first", "neighbours").fit(task, go_on).classifier.predict(inputs)
    for first, second in zip(one, other, strict=True):
        assert first.probabilities == pytest.approx(second.probabilities, abs=1e-5)


def test_diverse_vectors_are_far_from_each_other() -> None:
    angles = np.array([0.0, 0.01, 0.02, 1.5, 1.51, 3.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert len({round(float(angles[i])) for i in diverse(vectors, 3)}) == 3
    assert sorted(diverse(vectors, 99)) == list(range(6))


def test_few_shot_needs_an_example_of_each_label(task: LabelledTask) -> None:
    with pytest.raises(DataError, match="'city'"):
        FewShot().fit(replace(task, labels=("animal", "city", "colour")), go_on)


def test_zero_shot_fills_in_the_label_where_there_is_no_hypothesis(
    task: LabelledTask, tmp_path: Path
) -> None:
    described = replace(
        task, labels=("not_good", "good"), hypotheses={"good": "It is praised."}, entailment=tmp_path
    )
    fitted = ZeroShot("The film is {label}.").fit(described, go_on)
    assert fitted.classifier.hypotheses == ("The film is not good.", "It is praised.")
    with pytest.raises(DataError, match="label"):
        ZeroShot("The film is good.").fit(described, go_on)


def test_names_become_ids() -> None:
    assert slug("My data (2).jsonl.gz") == "my-data-2"
    assert slug("éé.csv") == "skill"
