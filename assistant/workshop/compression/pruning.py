"""Pruning: parts of a trained model left out.

What it does: gives each part an importance and leaves out the least important share of them (the sparsity).

    weights   the smallest magnitudes over all linear layers become zero; the matrices keep their shape, so it saves no
              time without sparse arithmetic
    heads     attention heads, really cut out of the matrices: query, key and value lose rows, the output loses columns
    neurons   feed-forward neurons, likewise
    layers    whole layers, from the top down

The importance of a head or neuron is its magnitude, the norm of all its weights, or, from one backward pass over
labelled rows, the expected change of the loss without it: E |a · ∂loss/∂a| of its output a, of heads normalized
within a layer.

When to use it: heads, neurons and layers where time counts and a trained model is at hand; a short fine-tuning
afterwards brings part of what was lost back.

Relation to the others: removing layers and fine-tuning on a teacher's opinions is what `distillation` does at once.
The result is a base of its own, no adapter of the shared one: what is shipped is distilled instead.

Reference: Han et al. 2015 (arXiv 1506.02626) for magnitudes; Michel, Levy & Neubig 2019, "Are Sixteen Heads Really
Better than One?" (arXiv 1905.10650), for heads; Molchanov et al. 2017 (arXiv 1611.06440) for the same of neurons;
Sajjad et al. 2023 (arXiv 2004.03844) for layers from the top.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import prune as masks

from assistant.engine.adapters import head_form
from assistant.engine.manifest import read_manifest
from assistant.workshop.batches import batches, tensors
from assistant.workshop.merging import encoder_with
from assistant.workshop.objectives import Encoded, objective
from assistant.workshop.recipe import FineTuning, Recipe
from assistant.workshop.training import AdaptedModel

Kind = Literal["weights", "heads", "neurons", "layers"]
Importance = Literal["magnitude", "gradient"]
RECOVERY_RATE = 5e-5  # learning rate of fine-tuning after pruning


def trained_model(adapter: Path) -> AdaptedModel:
    """The base with an adapter folder in it, all of it trainable: low-rank updates are merged into the weights,
    bottlenecks stay beside them. Raises AdapterError."""
    manifest = read_manifest(adapter)
    view, outputs = head_form(manifest.head_operation, len(manifest.labels))
    encoder = encoder_with(adapter).to(torch.bfloat16).requires_grad_(True).eval()
    model = AdaptedModel(FineTuning(), outputs, 0, view, encoder=encoder)
    model.take_head(adapter)
    return model


def pruned(
    model: AdaptedModel, kind: Kind, sparsity: float, importance: Sequence[Tensor] | None = None
) -> AdaptedModel:
    """The model without a share of its parts, changed in place. `importance` (of heads or neurons) is a vector per
    layer."""
    encoder = model.encoder
    if kind == "weights":
        zero_weights(encoder, sparsity)
    elif kind == "layers":
        keep_layers(encoder, max(1, round(len(encoder.encoder.layer) * (1 - sparsity))))
    else:
        if importance is None:
            importance = magnitudes(encoder, kind)
        cut = remove_heads if kind == "heads" else remove_neurons
        for layer, parts in zip(encoder.encoder.layer, least(importance, sparsity), strict=True):
            cut(layer, parts)
    return model


def least(importance: Sequence[Tensor], sparsity: float) -> list[list[int]]:
    """For each layer the parts to leave out: the least important share of all layers' together, but in each layer the
    most important one stays."""
    flat = torch.cat(list(importance))
    protected = torch.cat([scores == scores.max() for scores in importance])
    order = flat.masked_fill(protected, torch.inf).argsort()
    gone = torch.zeros(len(flat), dtype=torch.bool)
    gone[order[: round(sparsity * len(flat))]] = True
    gone &= ~protected
    return [part.nonzero().flatten().tolist() for part in torch.split(gone, [len(s) for s in importance])]


def zero_weights(encoder: Any, sparsity: float) -> None:
    """Set the smallest weights of all linear layers to zero; masks keep them there while it is trained."""
    if not sparsity:
        return
    places = [(linear, "weight") for layer in encoder.encoder.layer for linear in _linears(layer)]
    masks.global_unstructured(places, pruning_method=masks.L1Unstructured, amount=sparsity)


def settle(model: AdaptedModel) -> None:
    """Make the zeros of `zero_weights` plain weights, so that no mask is applied any more."""
    for module in model.encoder.modules():
        if isinstance(module, nn.Linear) and masks.is_pruned(module):
            masks.remove(module, "weight")  # type: ignore[no-untyped-call]


def keep_layers(encoder: Any, count: int) -> None:
    """Leave only the lowest layers."""
    encoder.encoder.layer = encoder.encoder.layer[:count]
    encoder.config.num_hidden_layers = count


def remove_heads(layer: Any, heads: Sequence[int]) -> None:
    """Cut attention heads out of a layer. At least one has to stay."""
    attention = layer.attention.self
    size = attention.attention_head_size
    stay = [h for h in range(attention.num_attention_heads) if h not in set(heads)]
    kept = torch.tensor([h * size + i for h in stay for i in range(size)])
    for linear in (attention.query, attention.key, attention.value):
        _keep(_plain(linear), rows=kept)
    _keep(_plain(layer.attention.output.dense), columns=kept)
    attention.num_attention_heads, attention.all_head_size = len(stay), len(kept)


def remove_neurons(layer: Any, neurons: Sequence[int]) -> None:
    """Cut feed-forward neurons out of a layer."""
    inner = _plain(layer.intermediate.dense)
    gone = set(neurons)
    kept = torch.tensor([n for n in range(inner.out_features) if n not in gone])
    _keep(inner, rows=kept)
    _keep(_plain(layer.output.dense), columns=kept)


def _keep(linear: nn.Linear, rows: Tensor | None = None, columns: Tensor | None = None) -> None:
    """Only these outputs (rows of the weight) or inputs (columns) of a linear layer."""
    weight, bias = linear.weight.detach(), linear.bias.detach()
    if rows is not None:
        weight, bias = weight[rows], bias[rows]
    if columns is not None:
        weight = weight[:, columns]
    linear.weight, linear.bias = nn.Parameter(weight.contiguous()), nn.Parameter(bias.contiguous())
    linear.out_features, linear.in_features = weight.shape


def magnitudes(encoder: Any, kind: Kind) -> list[Tensor]:
    """The norm of the weights of each head or neuron, a vector per layer."""
    return [_norms(layer, kind) for layer in encoder.encoder.layer]


def _norms(layer: Any, kind: Kind) -> Tensor:
    if kind == "neurons":
        inner, outer = _plain(layer.intermediate.dense).weight, _plain(layer.output.dense).weight
        return (inner.detach().float().square().sum(1) + outer.detach().float().square().sum(0)).sqrt()
    attention = layer.attention.self
    rows = [_plain(linear).weight for linear in (attention.query, attention.key, attention.value)]
    squares = sum(w.detach().float().square().sum(1) for w in rows)
    squares = squares + _plain(layer.attention.output.dense).weight.detach().float().square().sum(0)
    return squares.view(attention.num_attention_heads, -1).sum(1).sqrt()


def gradient_importance(
    model: AdaptedModel, kind: Kind, data: Sequence[Encoded], recipe: Recipe
) -> list[Tensor]:
    """E |a · ∂loss/∂a| over sequences of each head's or neuron's output a, a vector per layer (Michel et al. 2019,
    equation 2; of heads divided by the layer's norm, as there)."""
    task = objective(recipe.operation)
    layers = list(model.encoder.encoder.layer)
    weights = task.class_weights(data, len(model.head_bias), recipe.training.class_balance)
    totals = [torch.zeros(_parts(layer, kind)) for layer in layers]
    with _inputs_of([_reader(layer, kind) for layer in layers]) as inputs:
        for batch in batches(data, recipe.training.batch_size, None):
            inputs.clear()
            loss = task.loss(model(*tensors(batch)), batch, recipe.training, weights)
            gradients = torch.autograd.grad(loss, inputs)
            for total, x, gradient in zip(totals, inputs, gradients, strict=True):
                # The loss is a mean over the batch; its size makes batches count by their sequences.
                products = (
                    (x.detach().float() * gradient.float()).view(*x.shape[:2], len(total), -1).sum((1, 3))
                )
                total += products.abs().sum(0) * len(batch)
    return [total / total.norm() if kind == "heads" and total.norm() else total for total in totals]


def _parts(layer: Any, kind: Kind) -> int:
    if kind == "heads":
        return int(layer.attention.self.num_attention_heads)
    return _plain(layer.intermediate.dense).out_features


def _reader(layer: Any, kind: Kind) -> nn.Module:
    """The linear layer that reads the outputs of the heads or neurons."""
    return _plain(layer.attention.output.dense if kind == "heads" else layer.output.dense)


@contextmanager
def _inputs_of(modules: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """A list that the inputs of the modules are put into, in the order in which they run."""
    inputs: list[Tensor] = []

    def keep(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        inputs.append(arguments[0])

    hooks = [module.register_forward_pre_hook(keep) for module in modules]
    try:
        yield inputs
    finally:
        for hook in hooks:
            hook.remove()


def _linears(layer: Any) -> list[nn.Linear]:
    attention = layer.attention
    found = [attention.self.query, attention.self.key, attention.self.value, attention.output.dense]
    return [_plain(linear) for linear in (*found, layer.intermediate.dense, layer.output.dense)]


def _plain(linear: Any) -> nn.Linear:
    """The linear layer under a bottleneck, if there is one."""
    base: nn.Linear = getattr(linear, "base_layer", linear)
    return base


def weights_left(model: AdaptedModel) -> int:
    """Weights that are not zero by a mask."""
    masked = {
        name.removesuffix("_mask"): mask for name, mask in model.named_buffers() if name.endswith("_mask")
    }
    return sum(
        int(masked[name.removesuffix("_orig")].count_nonzero())
        if name.endswith("_orig")
        else parameter.numel()
        for name, parameter in model.named_parameters()
    )


def recovery_recipe(recipe: Recipe, epochs: float) -> Recipe:
    """Fine-tuning of all that was left, on the recipe's data."""
    settings = {"epochs": epochs, "learning_rate": RECOVERY_RATE, "evaluations": 2}
    training = recipe.training.model_copy(update=settings)
    return recipe.model_copy(update={"method": FineTuning(), "training": training})
