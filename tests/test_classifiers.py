"""What the voter has learnt, kept from one start to the next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from assistant_plugins.sentiment import Sentiment
from routing_applications import Mistakes, Summary

from assistant.applications import Application, Request
from assistant.engine.echo import EchoEngine
from assistant.routing import Router
from assistant.routing.classifiers import KEPT, Classifiers, Linear, digest

APPLICATIONS: Mapping[str, Application] = {each.id: each for each in (Sentiment(), Summary(), Mistakes())}
MESSAGE = "Is this review positive? 'The plot dragged.'"


class CountingEngine(EchoEngine):
    """Counts the texts that were embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded = 0

    def embed(self, inputs):  # type: ignore[no-untyped-def]
        self.embedded += len(inputs)
        return super().embed(inputs)


def routed(folder: Path | None, applications: Mapping[str, Application] = APPLICATIONS) -> tuple[object, int]:
    engine = CountingEngine()
    route, _ = Router(engine, applications, kept_in=folder).route(Request(MESSAGE))
    return route, engine.embedded


def test_the_second_start_learns_nothing_and_routes_alike(tmp_path: Path) -> None:
    first, cost = routed(tmp_path / "routing")
    again, later = routed(tmp_path / "routing")
    assert again == first == routed(None)[0]
    assert later < 10 < cost


def test_other_applications_are_learnt_anew(tmp_path: Path) -> None:
    routed(tmp_path)
    _, cost = routed(tmp_path, {"sentiment": Sentiment()})
    assert cost > 10
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_broken_file_is_learnt_again(tmp_path: Path, content: bytes) -> None:
    first, cost = routed(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert routed(tmp_path) == (first, cost)
    assert routed(tmp_path)[1] < 10


def test_where_nothing_can_be_written_it_is_learnt_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert routed(tmp_path / "file" / "routing") == routed(None)


def test_where_the_file_cannot_be_written_there_is_none(tmp_path: Path) -> None:
    learnt = Linear.learnt(np.eye(2, dtype=np.float32), ["a", "b"])
    (tmp_path / "learnt.tmp").mkdir()
    Classifiers({("text",): learnt}, np.eye(2, dtype=np.float32)).save(tmp_path / "learnt.safetensors")
    assert not list(tmp_path.glob("*.safetensors"))


def test_only_the_latest_are_kept(tmp_path: Path) -> None:
    one = Linear.learnt(np.eye(2, dtype=np.float32), ["a", "b"])
    for n in range(KEPT + 3):
        Classifiers({("text",): one}, np.zeros((1, 2), np.float32)).save(tmp_path / f"{n}.safetensors")
    assert len(list(tmp_path.iterdir())) == KEPT


@pytest.mark.parametrize("labels", [["a", "b", "a", "b"], ["a", "b", "c", "a"], ["a", "a", "a", "a"]])
def test_the_probabilities_are_those_of_a_logistic_regression(tmp_path: Path, labels: list[str]) -> None:
    from sklearn.linear_model import LogisticRegression

    features = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    learnt = Linear.learnt(features, labels)
    Classifiers({("question", "context"): learnt}, features).save(tmp_path / "x.safetensors")
    loaded = Classifiers.load(tmp_path / "x.safetensors")
    assert loaded is not None
    np.testing.assert_array_equal(loaded.examples, features)
    found = loaded.by_fields["question", "context"].probabilities(features[0])
    assert sum(found.values()) == pytest.approx(1)
    if len(set(labels)) > 1:
        rival = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1_000).fit(features, labels)
        expected = dict(zip(rival.classes_, rival.predict_proba(features[:1])[0], strict=True))
        assert found == pytest.approx(expected, abs=1e-5)


def test_a_digest_tells_values_apart() -> None:
    assert digest({"a": [1, 2]}) == digest({"a": [1, 2]}) != digest({"a": [2, 1]})
