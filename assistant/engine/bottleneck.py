"""Bottleneck adapters as a PEFT method of their own, so that they save, load, list and switch as LoRA does.

    y = W x + b;   y + up(gelu(down(y)))

after the output projection of each attention and feed-forward block, before the residual sum (Houlsby et al. 2019,
"Parameter-Efficient Transfer Learning for NLP", arXiv 1902.00751). `up` starts at zero, so training starts from the
unchanged base.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from peft.config import PeftConfig
from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from peft.utils import PeftType, register_peft_method
from torch import Tensor, nn

METHOD = "BOTTLENECK"
# The output projections of a BERT layer: attention.output.dense and output.dense, but not intermediate.dense.
TARGETS = r".*\.output\.dense"


def _known_to_peft() -> Any:
    """PEFT's registry takes only names of its own enum (`register_peft_method` checks), so the name is added there."""
    if METHOD not in PeftType.__members__:
        member = str.__new__(PeftType, METHOD)
        member._name_ = member._value_ = METHOD
        PeftType._member_names_.append(METHOD)
        PeftType._member_map_[METHOD] = member
        PeftType._value2member_map_[METHOD] = member
        # From Python 3.12 on an enum finds its members as attributes of its class, which it does not let be set.
        type.__setattr__(PeftType, METHOD, member)
    return PeftType[METHOD]


@dataclass
class BottleneckConfig(PeftConfig):  # type: ignore[misc]
    """`size` is the width of the bottleneck; `target_modules` a regular expression or names, as in PEFT."""

    size: int = field(default=64, metadata={"help": "Width of the bottleneck."})
    target_modules: str | list[str] | None = field(
        default=TARGETS, metadata={"help": "Linear layers to follow."}
    )
    exclude_modules: str | list[str] | None = field(default=None, metadata={"help": "Layers to leave alone."})
    bias: str = field(default="none", metadata={"help": "Biases of the base stay frozen."})

    def __post_init__(self) -> None:
        """Set the method's name."""
        super().__post_init__()
        self.peft_type = _known_to_peft()


class BottleneckLinear(nn.Module, BaseTunerLayer):  # type: ignore[misc]
    """A linear layer followed by one bottleneck per adapter name; the active ones are applied in turn."""

    adapter_layer_names = ("bottleneck_down", "bottleneck_up")
    other_param_names = ("size",)

    def __init__(self, base_layer: nn.Module, adapter_name: str, size: int) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.bottleneck_down = nn.ModuleDict()
        self.bottleneck_up = nn.ModuleDict()
        self.size: dict[str, int] = {}
        self._disable_adapters = False
        self.merged_adapters: list[str] = []
        self.update_layer(adapter_name, size)

    def update_layer(self, adapter_name: str, size: int) -> None:
        """Add a bottleneck under this name."""
        width = self.get_base_layer().out_features
        down, up = nn.Linear(width, size), nn.Linear(size, width)
        nn.init.normal_(down.weight, std=0.02)
        for zero in (down.bias, up.weight, up.bias):
            nn.init.zeros_(zero)
        self.size[adapter_name] = size
        self.bottleneck_down[adapter_name], self.bottleneck_up[adapter_name] = down, up
        self._move_adapter_to_device_of_base_layer(adapter_name)
        self.set_adapter(self.active_adapters)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The base layer's output plus what each active bottleneck adds to it."""
        y: Tensor = self.base_layer(x, *args, **kwargs)
        if self.disable_adapters:
            return y
        down, up = self.bottleneck_down, self.bottleneck_up
        for name in self.active_adapters:
            if name in down:
                x = y.to(down[name].weight.dtype)
                y = y + up[name](nn.functional.gelu(down[name](x))).to(y.dtype)
        return y


class BottleneckModel(BaseTuner):  # type: ignore[misc]
    """Puts a BottleneckLinear in the place of each targeted linear layer."""

    prefix = "bottleneck_"
    tuner_layer_cls = BottleneckLinear

    def _create_and_replace(
        self,
        peft_config: BottleneckConfig,
        adapter_name: str,
        target: nn.Module,
        target_name: str,
        parent: nn.Module,
        current_key: str,
        **_: Any,
    ) -> None:
        if isinstance(target, BottleneckLinear):
            target.update_layer(adapter_name, peft_config.size)
        elif isinstance(target, torch.nn.Linear):
            module = BottleneckLinear(target, adapter_name, peft_config.size)
            if adapter_name not in self.active_adapters:
                module.requires_grad_(False)
            self._replace_module(parent, target_name, module, target)
        else:
            raise ValueError(
                f"A bottleneck follows a linear layer; {current_key} is a {type(target).__name__}."
            )


if _known_to_peft() not in PEFT_TYPE_TO_TUNER_MAPPING:
    register_peft_method(name=METHOD.lower(), config_cls=BottleneckConfig, model_cls=BottleneckModel)
