"""A small search over learning rate and rank within a time budget: successive halving.

Every candidate is trained on a few rows; the better third is trained anew on more rows, each round taking about the
same time, and the best of those is the result (Jamieson & Talwalkar 2016, arXiv 1502.07943). A training always runs its
whole schedule, so that a short one is a small version of a long one, not its beginning.

Scikit-learn's halving search is for its own estimators and counts rows, not minutes; that is why this is written here.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from assistant.errors import DataError
from assistant.workshop.data import Example, fingerprint, spread
from assistant.workshop.loop import Progress
from assistant.workshop.recipe import Bottleneck, FineTuning, Lora, Recipe
from assistant.workshop.training import train

# How many are drawn, one of how many goes on to the next round, and how many rounds that makes.
CANDIDATES, KEPT, ROUNDS = 9, 3, 2
# A learning rate is drawn within this factor of the recipe's own, on a logarithmic scale.
SPREAD = 5.0
# Dev rows of a trial, and batches of the first one, which tells how fast this machine is.
DEV_ROWS, PROBE_BATCHES = 1000, 4


@dataclass(frozen=True)
class Candidate:
    """What is searched over: the learning rate, and LoRA's rank or the bottleneck's size."""

    learning_rate: float
    size: int


@dataclass(frozen=True)
class Trial:
    """One training of a candidate, on so many rows, with its score on dev."""

    round: int
    candidate: Candidate
    rows: int
    score: float
    seconds: float


class Search:
    """The state of a search; in `folder` it is kept as `search.json`, and a search that was stopped goes on from it."""

    def __init__(
        self,
        recipe: Recipe,
        rows: Sequence[Example],
        dev: Sequence[Example],
        folder: Path,
        minutes: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises DataError for a method that has no size, and for a folder that holds another search."""
        if isinstance(recipe.method, FineTuning):
            raise DataError("Fine-tuning has no rank to search for; expected lora or bottleneck.")
        self.recipe, self.rows, self.folder, self.clock = recipe, rows, folder, clock
        self.dev = spread(dev, DEV_ROWS)
        self.minutes = minutes
        self.trials: list[Trial] = []
        self.rows_of_round: dict[int, int] = {}
        self._spent = 0.0
        self._started = clock()
        self._resume()

    @property
    def best(self) -> Trial | None:
        """The best trial of the last round that has one; None when nothing was finished."""
        return max(self.trials, key=lambda trial: (trial.round, trial.score), default=None)

    @property
    def left(self) -> float:
        """Seconds left of the budget."""
        return self.minutes * 60 - self._spent - (self.clock() - self._started)

    def run(self, watch: Callable[[Progress, int, float], bool]) -> Iterator[Trial]:
        """Run the trials that are missing, each as it is done. `watch` gets what `loop.fit` reports; when it returns
        False, or when the time is over, the search ends and what was found stays."""
        candidates = drawn(self.recipe)
        for number in range(1, ROUNDS + 1):
            rows = self.rows_of_round.get(number) or self._affordable(len(candidates), ROUNDS - number + 1)
            self.rows_of_round[number] = rows
            for candidate in candidates:
                if any((t.round, t.candidate) == (number, candidate) for t in self.trials):
                    continue
                trial = self._trial(number, candidate, rows, watch)
                if trial is None:
                    return
                self.trials.append(trial)
                self._save()
                yield trial
            ranked = sorted((t for t in self.trials if t.round == number), key=lambda t: -t.score)
            candidates = [trial.candidate for trial in ranked[: math.ceil(len(ranked) / KEPT)]]

    def best_recipe(self) -> Recipe:
        """The recipe with the best candidate's values. Raises DataError when no trial was finished."""
        if self.best is None:
            raise DataError(f"No trial was finished in {self.minutes:g} minutes; give it more.")
        return with_candidate(self.recipe, self.best.candidate)

    def _affordable(self, candidates: int, rounds: int) -> int:
        """How many rows each candidate of a round may learn from, so that all rounds take about the same time."""
        least = PROBE_BATCHES * self.recipe.training.batch_size
        if not self.trials:
            # The first training of a process is slower than the following ones, so it is not counted.
            for _ in range(2):
                began = self.clock()
                if self._trial(0, own(self.recipe), least, lambda progress, steps, loss: True) is None:
                    return min(least, len(self.rows))
                pace = (self.clock() - began) / least
        else:
            latest = [t for t in self.trials if t.round == self.trials[-1].round]
            pace = sum(t.seconds for t in latest) / sum(t.rows for t in latest)
        rows = int(self.left / rounds / candidates / pace)
        return min(max(rows, least), len(self.rows))

    def _trial(
        self, number: int, candidate: Candidate, rows: int, watch: Callable[[Progress, int, float], bool]
    ) -> Trial | None:
        """Train a candidate; None when it was stopped, or the time was over first."""
        began, done = self.clock(), True

        def report(progress: Progress, steps: int, loss: float) -> bool:
            nonlocal done
            done = self.left > 0 and watch(progress, steps, loss)
            return done

        if self.left <= 0:
            return None
        recipe = with_candidate(self.recipe, candidate)
        # One evaluation, at the end: the others would only cost time.
        recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"evaluations": 1})})
        run = self.folder / "trial"
        shutil.rmtree(run, ignore_errors=True)
        try:
            _, progress = train(recipe, spread(self.rows, rows), self.dev, run, report)
        finally:
            shutil.rmtree(run, ignore_errors=True)
        if not done:
            return None
        return Trial(number, candidate, rows, progress.best_score, self.clock() - began)

    def _identity(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "data": fingerprint(self.rows),
            "dev": fingerprint(self.dev),
        }

    def _save(self) -> None:
        best = self.best
        content = {
            **self._identity(),
            "minutes": self.minutes,
            "seconds": self.minutes * 60 - self.left,
            "rows_of_round": self.rows_of_round,
            "trials": [asdict(trial) for trial in self.trials],
            "best": asdict(best) if best else None,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / "search.json.tmp"
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        temporary.replace(self.folder / "search.json")

    def _resume(self) -> None:
        path = self.folder / "search.json"
        if not path.is_file():
            return
        content = json.loads(path.read_text(encoding="utf-8"))
        if {key: content.get(key) for key in self._identity()} != self._identity():
            raise DataError(
                f"The folder {self.folder.name!r} holds a search with another recipe or other data; name another."
            )
        self._spent = content["seconds"]
        self.rows_of_round = {int(number): rows for number, rows in content["rows_of_round"].items()}
        self.trials = [
            Trial(**{**trial, "candidate": Candidate(**trial["candidate"])}) for trial in content["trials"]
        ]


def own(recipe: Recipe) -> Candidate:
    """The recipe's own values."""
    method = recipe.method
    size = method.rank if isinstance(method, Lora) else method.size if isinstance(method, Bottleneck) else 0
    return Candidate(recipe.training.learning_rate, size)


def drawn(recipe: Recipe, count: int = CANDIDATES) -> list[Candidate]:
    """The recipe's own values, and others drawn around them: learning rates on a logarithmic scale, sizes between a
    quarter and twice as much. The same for the same seed."""
    rng, first = random.Random(recipe.training.seed), own(recipe)
    most = 64 if isinstance(recipe.method, Lora) else 512
    found = [first]
    while len(found) < count:
        rate = first.learning_rate * SPREAD ** rng.uniform(-1, 1)
        size = rng.choice([first.size // 4, first.size // 2, first.size, first.size * 2])
        candidate = Candidate(min(1.0, float(f"{rate:.2g}")), max(1, min(most, size)))
        if candidate not in found:
            found.append(candidate)
    return found


def with_candidate(recipe: Recipe, candidate: Candidate) -> Recipe:
    """The recipe with these values; LoRA's alpha keeps its ratio to the rank."""
    method: Lora | Bottleneck
    if isinstance(recipe.method, Lora):
        alpha = recipe.method.alpha * candidate.size / recipe.method.rank
        method = recipe.method.model_copy(update={"rank": candidate.size, "alpha": alpha})
    else:
        method = Bottleneck(size=candidate.size)
    training = recipe.training.model_copy(update={"learning_rate": candidate.learning_rate})
    return recipe.model_copy(update={"method": method, "training": training})


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write a recipe as YAML, without what is by default, whole or not at all."""
    parts = ("train", "unlabelled", "dev")
    sources = {part: tuple(s.seen_from(path.parent) for s in getattr(recipe, part)) for part in parts}
    recipe = recipe.model_copy(update=sources)
    content: Mapping[str, Any] = recipe.model_dump(mode="json", exclude_defaults=True)
    content = {**content, "method": recipe.method.model_dump(mode="json")}
    temporary = path.with_name(path.name + ".tmp")
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
