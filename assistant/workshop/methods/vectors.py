"""Embeddings of texts and pairs, and distributions from scores: what the methods without backpropagation share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.engine.base import Classification, Engine, Pooling, TextOrPair
from assistant.errors import UnsupportedTask
from assistant.workshop.methods import Watch, sides, tell

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 64


def embedded(
    engine: Engine,
    inputs: Sequence[TextOrPair],
    pooling: Pooling = "mean",
    layer: int | None = None,
    watch: Watch = lambda fraction, note: True,
) -> NDArray[np.float32]:
    """Unit vectors of each input's texts, shape (len(inputs), 1 or 2, dimensions).

    Raises Stopped as the watch says, and UnsupportedTask where an engine gives its embeddings only.
    """
    import numpy as np

    texts = [sides(each) for each in inputs]
    flat = [text for each in texts for text in each]
    found = []
    for start in range(0, len(flat), CHUNK):
        tell(watch, start / len(flat), "reading")
        found.append(_vectors(engine, flat[start : start + CHUNK], pooling, layer))
    vectors = np.concatenate(found) if found else engine.embed([])
    return np.asarray(vectors.reshape(len(texts), len(texts[0]) if texts else 1, -1), np.float32)


def _vectors(
    engine: Engine, texts: Sequence[str], pooling: Pooling, layer: int | None
) -> NDArray[np.float32]:
    if pooling == "mean" and layer is None:
        return engine.embed(texts)
    from assistant.engine.encoder import EncoderEngine

    if not isinstance(engine, EncoderEngine):
        raise UnsupportedTask(f"The engine {engine.info.name!r} shows its last layer's mean only.")
    return engine.states(texts, pooling, engine.model.dimensions.layers if layer is None else layer)


def distributions(scores: NDArray[np.floating[Any]], labels: Sequence[str]) -> list[Classification]:
    """The softmax of each row of scores (rows, labels)."""
    from assistant.workshop.calibration import softmax  # late: it imports numpy

    return [Classification(tuple(labels), tuple(row)) for row in softmax(scores).tolist()]
