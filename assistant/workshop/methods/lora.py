"""LoRA: a low-rank update beside every linear layer.

What it does: keeps the base frozen and learns for each weight W an update of low rank, W + (alpha / rank) B A, with a
linear head on top. B starts at zero, so training starts from the unchanged base.

When to use it: from some tens of labelled rows on, when minutes are there. It usually reaches what training all weights
reaches, with 3 % of the parameters, and what it makes is an adapter folder that is served beside others on one base.

Inputs: texts, or pairs; labelled examples. `rank` and `alpha` as above; `targets` the linear layers that get an update
(query, key, value, dense: joined by +), `dropout` that of its input; `epochs` None: more of them the fewer rows.
`start` is an installed application whose adapter the training starts from, instead of from zero.

Relation to the others: `bottleneck` puts small networks between the layers instead; `fine_tuning` changes the base
itself, which then serves one task only; `feature_based` leaves the features as they are.

Example:

    fitted = Lora(rank=8).fit(task, watch)

Reference: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models" (arXiv 2106.09685).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assistant.workshop.methods import Fitted, LabelledTask, Method, Watch


@dataclass(frozen=True)
class Lora(Method):
    """Trains a LoRA adapter."""

    id: ClassVar[str] = "lora"
    title: ClassVar[str] = "LoRA"
    description: ClassVar[str] = (
        "Trains low-rank updates of all linear layers: an adapter of about a megabyte."
    )

    rank: int = 16
    alpha: float = 32.0
    targets: str = "query+key+value+dense"
    dropout: float = 0.0
    learning_rate: float = 1e-3
    epochs: float | None = None
    start: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for targets that are none."""
        known = type(self).targets.split("+")
        if not set(self.targets.split("+")) <= set(known):
            raise ValueError(f"expected some of {', '.join(known)}, joined by +")

    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        """See Method."""
        from assistant.workshop import recipe
        from assistant.workshop.methods.trained import fit_adapter

        form = {"rank": self.rank, "alpha": self.alpha, "dropout": self.dropout}
        kind = recipe.Lora.model_validate({**form, "targets": self.targets.split("+")})
        start = task.started_from(self.start)
        return fit_adapter(kind, self.title, self.learning_rate, self.epochs, task, watch, start)
