"""Fine-tuning: the base's own weights.

What it does: trains all weights of the base with a linear head on top, or only those above the lowest `frozen_layers`
layers (the embeddings count with the lowest), or, with all layers frozen, the head alone.

When to use it: as the measure of what adapters give up. What it makes is a whole model that serves one task only, so
it is not kept for serving.

Inputs: texts, or pairs; labelled examples. `learning_rate` None: 5e-5, and 5e-3 for a head alone; `epochs` None: more
of them the fewer rows.

Relation to the others: `lora` and `bottleneck` reach nearly the same with 3 % of the parameters; the head alone is
`feature_based` trained by gradient steps on the first token's state beside the mean.

Example:

    FineTuning(frozen_layers=3).fit(task, watch).classifier.predict(["A warm, funny film."])

Reference: Devlin et al. 2019, "BERT" (arXiv 1810.04805), section 4; frozen lower layers: Lee, Tang & Lin 2019, "What
Would Elsa Do?" (arXiv 1911.03090).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assistant.engine.embedded import Dimensions
from assistant.errors import DataError
from assistant.workshop.methods import Fitted, LabelledTask, Method, Watch

LAYERS = Dimensions().layers


@dataclass(frozen=True)
class FineTuning(Method):
    """Trains the base from layer `frozen_layers` on."""

    id: ClassVar[str] = "fine-tuning"
    title: ClassVar[str] = "Fine-tuning"
    description: ClassVar[str] = "Trains the base's own weights: a whole model for one task, to compare with."

    frozen_layers: int = 0
    learning_rate: float | None = None
    epochs: float | None = None

    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        """See Method. Raises DataError for more layers than there are."""
        from assistant.workshop import recipe
        from assistant.workshop.methods.trained import fit_base

        if not 0 <= self.frozen_layers <= LAYERS:
            raise DataError(f"frozen_layers is {self.frozen_layers}; the base has {LAYERS} layers.")
        rate = self.learning_rate or (5e-3 if self.frozen_layers == LAYERS else 5e-5)
        return fit_base(recipe.FineTuning(frozen_layers=self.frozen_layers), rate, self.epochs, task, watch)
