"""What each quantization scheme costs an adapter: `python benchmarks/quantization.py ADAPTER DATA [--rows N]`.

One run, one set of rows, the same adapter: accuracy, the share of rows whose answer changes against float32, the
relative error of the logits, and seconds. The schemes:

- float32: the original weights
- int8 weights, 4-bit weights: activations in float32 (`assistant.workshop.compression.quantization`)
- per tensor: int8 activations with one scale per tensor, as torch's dynamic quantization has it
- per row: what the engine does
- per row, smoothed: SmoothQuant's migration (Xiao et al. 2022, arXiv 2211.10438) of channel ranges into the weights
- two passes: activations as the sum of two int8 numbers, for all layers
- bfloat16 activations on int8 weights
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from assistant.engine import embedded
from assistant.engine.adaptation import Stacks
from assistant.engine.adapters import LoadedAdapter, load_adapter
from assistant.engine.embedded import Dimensions
from assistant.engine.manifest import BASE
from assistant.engine.memory import keep_freed_memory
from assistant.engine.quantization import FULL_RANGE, TINY, Int8Linear, Scheme, quantize_rows
from assistant.engine.transformer import QuantizedEncoder, Slot
from assistant.workshop.compression.quantization import SCHEMES, FloatLinear
from assistant.workshop.data import Example, read_examples

Linear = Callable[[Tensor], Tensor]


def scale(x: Tensor) -> Tensor:
    return x.abs().amax(-1, keepdim=True).clamp_min(TINY) / FULL_RANGE


def bfloat16(weight: Tensor, bias: Tensor) -> Linear:
    rounded = quantize_rows(weight).dequantize().t().bfloat16()
    return lambda x: (x.bfloat16() @ rounded).float() + bias


def per_tensor(weight: Tensor, bias: Tensor) -> Linear:
    inner = Int8Linear(weight, bias)

    def call(x: Tensor) -> Tensor:
        s = x.abs().amax() / FULL_RANGE
        return inner.product((x / s).round()) * s + bias

    return call


def two_passes(weight: Tensor, bias: Tensor) -> Linear:
    inner = Int8Linear(weight, bias)

    def call(x: Tensor) -> Tensor:
        s = scale(x)
        high = (x / s).round()
        low = ((x / s - high) * 254).round().clamp(-127, 127)
        return (inner.product(high) + inner.product(low) / 254) * s + bias

    return call


def smoothed(linear: FloatLinear, ranges: Tensor) -> Linear:
    factor = (ranges.clamp_min(1e-3) / linear.weight.abs().amax(0).clamp_min(1e-4)).sqrt().clamp_min(1e-3)
    inner = Int8Linear(linear.weight * factor, linear.bias)
    return lambda x: inner(x / factor)


class Bench:
    """One adapter and one set of rows, run under any scheme."""

    def __init__(self, adapter: LoadedAdapter, examples: list[Example]) -> None:
        self.adapter, self.stacks, self.weights = adapter, Stacks(), embedded.weights()
        texts = [e.texts[0] if len(e.texts) == 1 else e.texts for e in examples]
        self.encodings = sorted(
            zip(embedded.tokenizer().encode_batch(texts), (e.label for e in examples), strict=True),
            key=lambda pair: len(pair[0].ids),
        )
        self.truth = torch.tensor([adapter.manifest.labels.index(label) for _, label in self.encodings])

    def model(self, scheme: Scheme) -> QuantizedEncoder:
        return QuantizedEncoder(self.weights, Dimensions(), scheme)

    def converted(self, convert: Callable[[Tensor, Tensor], Linear]) -> QuantizedEncoder:
        """The engine's own base with every linear layer in another form."""
        return self.model(Scheme("", convert, quantize_rows))

    def smoothed(self, ranges: list[dict[Slot, Tensor]]) -> QuantizedEncoder:
        model = self.model(Scheme("", FloatLinear, quantize_rows))
        for block, of_block in zip(model.blocks, ranges, strict=True):
            block.linears = {s: smoothed(linear, of_block[s]) for s, linear in block.linears.items()}
        return model

    @torch.inference_mode()
    def logits(self, model: QuantizedEncoder, rows: int = 16) -> Tensor:
        results = []
        for start in range(0, len(self.encodings), rows):
            batch = [encoding for encoding, _ in self.encodings[start : start + rows]]
            ids, segments, mask = (
                torch.zeros(len(batch), len(batch[-1].ids), dtype=torch.long) for _ in range(3)
            )
            for i, encoding in enumerate(batch):
                length = len(encoding.ids)
                ids[i, :length], mask[i, :length] = torch.tensor(encoding.ids), 1
                segments[i, :length] = torch.tensor(encoding.type_ids)
            adaptations = self.stacks.adaptations([self.adapter] * len(batch))
            results.append(
                self.adapter.head(model(ids, segments, mask, adaptations, self.adapter.layers), mask)
            )
        return torch.cat(results)

    def ranges(self) -> list[dict[Slot, Tensor]]:
        """The largest magnitude of each input channel over all rows."""
        model = self.model(SCHEMES["int8"])
        found: list[dict[Slot, Tensor]] = [{} for _ in model.blocks]

        def watch(layer: int, slot: Slot, linear: Linear) -> Linear:
            def call(x: Tensor) -> Tensor:
                seen = x.abs().amax(0)
                found[layer][slot] = torch.maximum(found[layer].get(slot, seen), seen)
                return linear(x)

            return call

        for i, block in enumerate(model.blocks):
            block.linears = {s: watch(i, s, linear) for s, linear in block.linears.items()}
        self.logits(model)
        return found


def main() -> None:
    """Print one line per scheme."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adapter", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=2000)
    arguments = parser.parse_args()
    keep_freed_memory()
    adapter = load_adapter(arguments.adapter, BASE, Dimensions())
    examples = read_examples(arguments.data, adapter.manifest.fields)[: arguments.rows]
    bench = Bench(adapter, examples)
    models: dict[str, Callable[[], QuantizedEncoder]] = {
        "float32": lambda: bench.model(SCHEMES["float32"]),
        "int8 weights": lambda: bench.model(SCHEMES["int8-weights"]),
        "4-bit weights": lambda: bench.model(SCHEMES["int4-weights"]),
        "int8, per tensor": lambda: bench.converted(per_tensor),
        "int8, per row": lambda: bench.model(SCHEMES["int8"]),
        "int8, per row, smoothed": lambda: bench.smoothed(bench.ranges()),
        "int8, two passes": lambda: bench.converted(two_passes),
        "int8 weights, bfloat16": lambda: bench.converted(bfloat16),
    }
    reference = None
    print(f"{adapter.manifest.name} on {len(examples)} rows of {arguments.data.parent.name}")
    print(f"{'scheme':26} {'accuracy':>9} {'changed':>8} {'error':>7} {'seconds':>8}")
    for name, make in models.items():
        model = make()
        started = time.perf_counter()
        logits = bench.logits(model)
        seconds = time.perf_counter() - started
        reference = logits if reference is None else reference
        accuracy = (logits.argmax(-1) == bench.truth).float().mean().item()
        changed = (logits.argmax(-1) != reference.argmax(-1)).float().mean().item()
        error = ((logits - reference).norm() / reference.norm()).item()
        print(
            f"{name:26} {100 * accuracy:8.2f} % {100 * changed:6.2f} % {error:7.4f} {seconds:8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
