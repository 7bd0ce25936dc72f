"""Bottleneck adapters: a small network after each block.

What it does: keeps the base frozen and puts y + up(gelu(down(y))) after the output of each attention and feed-forward
block, with a linear head on top. `up` starts at zero, so training starts from the unchanged base.

When to use it: as `lora`; it has fewer places and wider ones, and sometimes suits small data better.

Inputs: texts, or pairs; labelled examples. `size` is the width of the bottleneck; `epochs` None: more of them the fewer
rows.

Relation to the others: `lora` changes the layers themselves by a low-rank update and could be merged into them, which
this cannot; both make an adapter folder that is served beside others on one base.

Example:

    fitted = Bottleneck(size=32).fit(task, watch)

Reference: Houlsby et al. 2019, "Parameter-Efficient Transfer Learning for NLP" (arXiv 1902.00751).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assistant.workshop.methods import Fitted, LabelledTask, Method, Watch


@dataclass(frozen=True)
class Bottleneck(Method):
    """Trains a bottleneck adapter."""

    id: ClassVar[str] = "bottleneck"
    title: ClassVar[str] = "Bottleneck adapters"
    description: ClassVar[str] = (
        "Trains small networks between the frozen layers: an adapter of about a megabyte."
    )

    size: int = 64
    learning_rate: float = 1e-3
    epochs: float | None = None

    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        """See Method."""
        from assistant.workshop import recipe
        from assistant.workshop.methods.trained import fit_adapter

        kind = recipe.Bottleneck(size=self.size)
        return fit_adapter(kind, self.title, self.learning_rate, self.epochs, task, watch)
