"""Tuning: the better candidates learn from more rows, the budget is kept, and a stopped search goes on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from test_training import ROWS, recipe

from assistant.errors import DataError
from assistant.workshop.recipe import Bottleneck, FineTuning, Lora, load_recipe
from assistant.workshop.tuning import Search, drawn, own, with_candidate, write_recipe

# One layer, so that a dozen trainings take seconds.
MADE = recipe(Lora(rank=2, alpha=4), epochs=1).model_copy(update={"layers": 1})
MANY = ROWS * 20


def ticking() -> Callable[[], float]:
    """A clock that goes on by a second whenever it is looked at, which every step does."""
    ticks = itertools.count()
    return lambda: float(next(ticks))


def going_on(*_: object) -> bool:
    return True


def test_the_better_third_learns_from_more_rows(tmp_path: Path) -> None:
    search = Search(MADE, MANY, ROWS, tmp_path, 5.0, ticking())
    trials = list(search.run(going_on))
    first, second = ([t for t in trials if t.round == number] for number in (1, 2))
    assert (len(first), len(second)) == (9, 3)
    assert [t.candidate for t in first] == drawn(MADE)
    assert {t.rows for t in second} != {t.rows for t in first}
    assert second[0].rows > first[0].rows
    assert min(t.score for t in first if t.candidate in {s.candidate for s in second}) >= max(
        t.score for t in first if t.candidate not in {s.candidate for s in second}
    )
    assert search.best == max(second, key=lambda t: t.score)
    assert search.left > 0
    record = json.loads((tmp_path / "search.json").read_text())
    assert record["best"]["candidate"] == vars(search.best.candidate)
    assert len(record["trials"]) == 12
    assert sorted(path.name for path in tmp_path.iterdir()) == ["search.json"]


def test_the_budget_is_kept_and_what_was_found_stays(tmp_path: Path) -> None:
    search = Search(MADE, MANY, ROWS, tmp_path, 1.2, ticking())
    trials = list(search.run(going_on))
    assert 1 <= len(trials) < 12
    # A step, and the looks at the clock around it.
    assert search.left > -10
    assert search.best_recipe() == with_candidate(MADE, search.best.candidate)  # type: ignore[union-attr]


def test_without_a_finished_trial_there_is_a_sentence(tmp_path: Path) -> None:
    search = Search(MADE, MANY, ROWS, tmp_path, 0.05, ticking())
    assert list(search.run(going_on)) == []
    with pytest.raises(DataError, match=r"No trial was finished in 0.05 minutes"):
        search.best_recipe()


def test_a_stopped_search_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    whole = [
        (t.candidate, t.rows, t.score) for t in Search(MADE, ROWS, ROWS, tmp_path / "a", 60).run(going_on)
    ]
    parts = list(itertools.islice(Search(MADE, ROWS, ROWS, tmp_path / "b", 60).run(going_on), 4))
    again = Search(MADE, ROWS, ROWS, tmp_path / "b", 60)
    assert again.trials == parts
    parts += again.run(going_on)
    # There are fewer rows than the time would allow, so every trial learns from all of them.
    assert [(t.candidate, t.rows, t.score) for t in parts] == whole
    assert list(Search(MADE, ROWS, ROWS, tmp_path / "b", 60).run(going_on)) == []
    with pytest.raises(DataError, match="another recipe or other data"):
        Search(MADE, ROWS[1:], ROWS, tmp_path / "b", 60)


def test_a_watch_that_says_no_ends_the_search(tmp_path: Path) -> None:
    search = Search(MADE, ROWS, ROWS, tmp_path, 60)
    steps = itertools.count()
    trials = list(search.run(lambda *_: next(steps) < 7))
    assert len(trials) == 2  # of three steps each
    assert not (tmp_path / "trial").exists()


def test_candidates_are_the_recipes_own_and_others_around_it() -> None:
    for method in (Lora(rank=16, alpha=32), Bottleneck(size=64)):
        made = recipe(method)
        found = drawn(made)
        assert found == drawn(made)
        assert found[0] == own(made)
        assert len(set(found)) == 9
        assert with_candidate(made, found[0]) == made
        assert all(0.2 * 0.9 <= c.learning_rate / found[0].learning_rate <= 5 * 1.1 for c in found)
    halved = with_candidate(recipe(Lora(rank=16, alpha=32)), found[0].__class__(1e-3, 8))
    assert (halved.method.rank, halved.method.alpha) == (8, 16)  # type: ignore[union-attr]
    with pytest.raises(DataError, match="no rank"):
        Search(recipe(FineTuning()), ROWS, ROWS, Path(), 1)  # type: ignore[arg-type]


def test_a_written_recipe_reads_the_same(tmp_path: Path) -> None:
    write_recipe(MADE, tmp_path / "best.yaml")
    assert load_recipe(tmp_path / "best.yaml") == MADE
    assert [path.name for path in tmp_path.iterdir()] == ["best.yaml"]


def test_a_written_recipe_finds_the_rows_beside_the_first_one(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "mine.jsonl").write_text('{"text": "a red thing", "label": "good"}\n')
    beside = MADE.model_dump(mode="json") | {"train": [{"path": "./mine.jsonl", "licence": "ours"}]}
    (tmp_path / "one" / "recipe.yaml").write_text(yaml.safe_dump(beside))
    write_recipe(load_recipe(tmp_path / "one" / "recipe.yaml"), tmp_path / "two" / "best.yaml")
    (source,) = load_recipe(tmp_path / "two" / "best.yaml").train
    assert source.path == "./../one/mine.jsonl" and len(source.read(tmp_path, ("text",))) == 1
