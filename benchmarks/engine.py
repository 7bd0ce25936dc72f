"""Speed and memory of the engine, as ratios within one run: `python benchmarks/engine.py`.

- the int8 base against transformers' BertModel in float32 (eager) on the same weights and inputs
- a batch whose 8 rows carry 7 adapters against one whose rows share one
- bytes of the resident base and of 100 LoRA adapters of rank 8
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.benchmark import Timer

from assistant.engine import embedded
from assistant.engine.adaptation import Stacks
from assistant.engine.adapters import LoadedAdapter
from assistant.engine.base import AdapterInfo
from assistant.engine.embedded import Dimensions
from assistant.engine.heads import Head
from assistant.engine.manifest import BASE, Manifest
from assistant.engine.memory import keep_freed_memory
from assistant.engine.transformer import QuantizedEncoder

LAYERS, HIDDEN, INNER = 6, 384, 1536
MODULES = {
    "query": (HIDDEN, HIDDEN),
    "key": (HIDDEN, HIDDEN),
    "value": (HIDDEN, HIDDEN),
    "attention.output": (HIDDEN, HIDDEN),
    "intermediate": (HIDDEN, INNER),
    "output": (INNER, HIDDEN),
}


def random_lora(rank: int, name: str) -> LoadedAdapter:
    """A LoRA adapter on all linear layers with random weights, as it is resident after loading."""
    parts = {
        (layer, module): {
            "lora_A": torch.randn(rank, inputs).mul_(0.02).half(),
            "lora_B": torch.randn(outputs, rank).mul_(0.02).half(),
        }
        for layer in range(LAYERS)
        for module, (inputs, outputs) in MODULES.items()
    }
    manifest = Manifest(name=name, operation="classify", base=BASE, labels=("a", "b", "c"))
    info = AdapterInfo(Path(name), name, "lora", "classify", ("a", "b", "c"), 0.0, 0, 0, {}, (), "")
    return LoadedAdapter(
        info, manifest, LAYERS, "lora", rank, 2.0, parts, Head("pooled", torch.randn(3, 768), torch.zeros(3))
    )


def reference() -> torch.nn.Module:
    """transformers' own float32 model."""
    from transformers import BertModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    return BertModel.from_pretrained(
        embedded.folder(), add_pooling_layer=False, attn_implementation="eager"
    ).eval()


def milliseconds(function: Callable[[], object], seconds: float) -> float:
    """Median time of a call."""
    function()
    timer = Timer("function()", globals={"function": function}, num_threads=torch.get_num_threads())
    return timer.blocked_autorange(min_run_time=seconds).median * 1e3


def inputs(rows: int, tokens: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, segments and mask of random words."""
    ids = torch.randint(1000, 20000, (rows, tokens), generator=torch.Generator().manual_seed(0))
    return ids, torch.zeros_like(ids), torch.ones_like(ids)


@torch.inference_mode()
def measure(seconds: float) -> dict[str, float]:
    """All figures. Each pair is measured three times in turn and the median ratio is taken."""
    keep_freed_memory()
    quantized, plain = QuantizedEncoder(embedded.weights(), Dimensions()), reference()
    figures: dict[str, float] = {"base_megabytes": quantized.nbytes / 1e6}
    for rows, tokens in ((1, 32), (8, 128)):
        ids, segments, mask = inputs(rows, tokens)
        pairs = [
            (
                milliseconds(
                    lambda: plain(input_ids=ids, token_type_ids=segments, attention_mask=mask), seconds
                ),
                milliseconds(lambda: quantized(ids, segments, mask), seconds),
            )
            for _ in range(3)
        ]
        figures[f"int8_ms_{rows}x{tokens}"] = sorted(fast for _, fast in pairs)[1]
        figures[f"float32_ms_{rows}x{tokens}"] = sorted(slow for slow, _ in pairs)[1]
        figures[f"speedup_{rows}x{tokens}"] = sorted(slow / fast for slow, fast in pairs)[1]
    stacks, adapters = Stacks(), [random_lora(16, f"adapter-{i}") for i in range(7)]
    for rows, tokens in ((8, 32), (8, 128)):
        ids, segments, mask = inputs(rows, tokens)
        single, mixed = [adapters[0]] * rows, [adapters[i % 7] for i in range(rows)]
        ratios = []
        for _ in range(3):
            one = milliseconds(lambda: quantized(ids, segments, mask, stacks.adaptations(single)), seconds)
            seven = milliseconds(lambda: quantized(ids, segments, mask, stacks.adaptations(mixed)), seconds)
            bare = milliseconds(lambda: quantized(ids, segments, mask), seconds)
            ratios.append((seven / one, one / bare))
        figures[f"mixed_over_single_{rows}x{tokens}"] = sorted(r for r, _ in ratios)[1]
        figures[f"single_over_bare_{rows}x{tokens}"] = sorted(r for _, r in ratios)[1]
    figures["hundred_lora_r8_megabytes"] = 100 * random_lora(8, "r8").nbytes / 1e6
    return figures


def main() -> None:
    """Print the figures as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=1.0, help="time per figure and repetition")
    arguments = parser.parse_args()
    figures = {name: round(value, 3) for name, value in measure(arguments.seconds).items()}
    if arguments.json:
        print(json.dumps(figures, indent=1))
    else:
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
        for name, value in figures.items():
            print(f"{name:32} {value:10.2f}")


if __name__ == "__main__":
    main()
