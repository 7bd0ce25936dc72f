"""Float32 weights for the optimizer of a coarser model (Micikevicius et al. 2018, arXiv 1710.03740)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MasterWeights:
    """Float32 copies of the parameters for the optimizer; the model keeps its own, coarser ones."""

    def __init__(self, parameters: dict[str, nn.Parameter]) -> None:
        self.parameters = parameters
        self.masters = {name: p.detach().float().clone().requires_grad_() for name, p in parameters.items()}

    def take_gradients(self, max_norm: float = 1.0) -> None:
        """Move the gradients from the model to the masters and clip their global norm."""
        for name, parameter in self.parameters.items():
            self.masters[name].grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        nn.utils.clip_grad_norm_(list(self.masters.values()), max_norm)

    @torch.no_grad()
    def give_values(self) -> None:
        """Copy the masters' values into the model."""
        for name, parameter in self.parameters.items():
            parameter.copy_(self.masters[name])

    def set_values(self, values: dict[str, Tensor]) -> None:
        """Take these values, in the masters and in the model."""
        with torch.no_grad():
            for name, master in self.masters.items():
                master.copy_(values[name])
        self.give_values()
