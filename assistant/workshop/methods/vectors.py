"""Embeddings of texts and pairs, and distributions from scores: what the methods without backpropagation share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.engine.base import Classification, Engine, Pooling, TextOrPair
from assistant.errors import UnsupportedTask
from assistant.workshop.methods import Watch, sides, tell

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 64


@dataclass(frozen=True)
class Reader:
    """Reads texts with the frozen base, or through an `adapter` on it, and gives unit vectors.

    `pooling` and `layer` say which states (None: the last layer's). The bare base reads the two texts of a pair apart,
    as it was trained to; an adapter reads them together, as it was.
    """

    engine: Engine
    pooling: Pooling = "mean"
    layer: int | None = None
    adapter: Path | None = None

    @property
    def name(self) -> str | None:
        """What the adapter's manifest calls it."""
        return self.engine.adapter(self.adapter).name if self.adapter else None

    def __call__(
        self, inputs: Sequence[TextOrPair], watch: Watch = lambda fraction, note: True
    ) -> NDArray[np.float32]:
        """Unit vectors of one input or more, shape (len(inputs), texts, dimensions): 1 text, or 2 of a pair that is
        read apart.

        Raises Stopped as the watch says, and UnsupportedTask where an engine gives its embeddings only.
        """
        import numpy as np

        parts = [sides(each) for each in inputs] if self.adapter is None else [(each,) for each in inputs]
        flat: list[TextOrPair] = [part for each in parts for part in each]
        found = []
        for start in range(0, len(flat), CHUNK):
            tell(watch, start / len(flat), "reading")
            found.append(self._vectors(flat[start : start + CHUNK]))
        return np.asarray(np.concatenate(found).reshape(len(parts), len(parts[0]), -1), np.float32)

    def _vectors(self, inputs: Sequence[TextOrPair]) -> NDArray[np.float32]:
        if self == Reader(self.engine):
            return self.engine.embed([text for each in inputs for text in sides(each)])
        from assistant.engine.encoder import EncoderEngine

        if not isinstance(self.engine, EncoderEngine):
            raise UnsupportedTask(f"The engine {self.engine.info.name!r} shows its last layer's mean only.")
        return self.engine.states(inputs, self.pooling, self.layer, self.adapter)


def distributions(scores: NDArray[np.floating[Any]], labels: Sequence[str]) -> list[Classification]:
    """The softmax of each row of scores (rows, labels)."""
    from assistant.workshop.calibration import softmax  # late: it imports numpy

    return [Classification(tuple(labels), tuple(row)) for row in softmax(scores).tolist()]
