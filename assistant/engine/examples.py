"""Which worked examples stand in a prompt: always the same ones, or those most similar to the texts at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from assistant.prompts import Prompt, Shot

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Unit vectors (texts, dimensions), as `Engine.embed` gives them.
Embed: TypeAlias = "Callable[[Sequence[str]], NDArray[np.float32]]"
# Prompts whose shots' vectors are kept.
KEPT_PROMPTS = 64


class Examples:
    """A prompt's first shots, evenly by label; with `embed` the nearest ones (Liu et al. 2022, "What Makes Good
    In-Context Examples for GPT-3?", arXiv 2101.06804). Safe to share by threads."""

    def __init__(self, embed: Embed | None = None) -> None:
        self._embed = embed
        # The shots of a prompt are read once.
        self._vectors = lru_cache(maxsize=KEPT_PROMPTS)(embed) if embed else None

    @property
    def similar(self) -> bool:
        """Whether they depend on the texts."""
        return self._embed is not None

    def chosen(self, prompt: Prompt, inputs: Sequence[Sequence[str]], count: int) -> list[tuple[Shot, ...]]:
        """`count` shots of the prompt for each input, which is its texts in the order of the fields. Raises InputError
        when the prompt has fewer."""
        if self._embed is None or self._vectors is None or not count or not inputs:
            return [prompt.select_shots(count)] * len(inputs)
        shots = tuple("\n".join(shot.input[name] for name in prompt.fields) for shot in prompt.shots)
        similarities = self._embed(["\n".join(texts) for texts in inputs]) @ self._vectors(shots).T
        return [prompt.select_shots(count, row) for row in similarities.tolist()]
