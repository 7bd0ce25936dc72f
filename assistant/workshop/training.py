"""Training one adapter and its head on the frozen base.

The base carries the weights that its int8 form stands for, so that an adapter learns what it will be served
on. It computes in bfloat16 with float32 master weights for what is trained (Micikevicius et al. 2018, arXiv
1710.03740); the base's own dropout is off: frozen and with a small adapter it hardly overfits, and random numbers
cost a tenth of the time.
"""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from assistant.engine import embedded
from assistant.engine.adapters import HEAD, WEIGHTS, head_form, load_adapter, read_method, read_tensors
from assistant.engine.embedded import Dimensions
from assistant.engine.heads import Head, View, new_head
from assistant.engine.manifest import BASE, CONFIG, read_json, read_manifest
from assistant.engine.quantization import fake_quantized
from assistant.errors import DataError
from assistant.workshop.batches import batches, masked, predict_logits, tensors
from assistant.workshop.data import Example, fingerprint
from assistant.workshop.loop import Problem, Progress, always, fit
from assistant.workshop.objectives import Encoded, objective
from assistant.workshop.recipe import FineTuning, Lora, Method, Recipe


class AdaptedModel(nn.Module):
    """The frozen base with one trainable adapter (through PEFT), or a base that is itself trained, and a head.

    With `encoder` the head is one more on an adapter that another model has already.
    """

    def __init__(
        self,
        method: Method,
        outputs: int,
        seed: int,
        view: View = "pooled",
        dtype: torch.dtype = torch.bfloat16,
        layers: int | None = None,
        encoder: Any = None,
    ) -> None:
        super().__init__()
        torch.manual_seed(seed)
        if encoder is None:
            base = base_model(layers).to(dtype)
            encoder = unfrozen(base, method) if isinstance(method, FineTuning) else with_adapter(base, method)
        self.encoder = encoder
        head = new_head(view, embedded.Dimensions().hidden, outputs, torch.Generator().manual_seed(seed))
        self.view, self.head_weight, self.head_bias = view, head.weight, head.bias
        self.eval()

    @property
    def head(self) -> Head:
        """The head on its view of the states."""
        return Head(self.view, self.head_weight, self.head_bias)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.head_weight.device

    def forward(self, ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        """Logits (rows, outputs), or (rows, tokens, outputs), in float32 from token ids, segment ids and mask, each
        (rows, tokens)."""
        states = self.encoder(input_ids=ids, token_type_ids=segments, attention_mask=mask).last_hidden_state
        return self.head(states.float(), mask)

    def take_head(self, folder: Path) -> None:
        """Take the head of an adapter folder, which has as many outputs. Raises AdapterError."""
        head = read_tensors(folder, HEAD)
        with torch.no_grad():
            self.head_weight.copy_(head["weight"])
            self.head_bias.copy_(head["bias"])

    def trained(self) -> dict[str, nn.Parameter]:
        """What is trained, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}


def training_device() -> torch.device:
    """Where the workshop trains: on a CUDA device where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def base_model(layers: int | None = None) -> Any:
    """The embedded base, or its lowest `layers` layers, as a transformers BertModel with the weights that its int8 form
    stands for. Raises DataError for more layers than there are."""
    from transformers import BertConfig, BertModel

    # On a CPU the backward pass of the fused attention takes a third of the whole time.
    attention = "eager" if training_device().type == "cpu" else "sdpa"
    config = BertConfig.from_pretrained(embedded.folder(), attn_implementation=attention)
    if layers is not None:
        if layers > config.num_hidden_layers:
            raise DataError(f"The recipe has {layers} layers; the base has {config.num_hidden_layers}.")
        config.num_hidden_layers = layers
    model = BertModel(config, add_pooling_layer=False)
    state = fake_quantized(embedded.weights())
    model.load_state_dict(
        {name: value for name, value in state.items() if not name.startswith("pooler")}, strict=False
    )
    # What PEFT writes into an adapter's configuration as its base.
    model.config._name_or_path = model.name_or_path = f"sentence-transformers/{embedded.NAME}"
    return model.eval()


def unfrozen(base: Any, method: FineTuning) -> Any:
    """The base with its own weights to be trained, all but the lowest layers'."""
    if method.frozen_layers:
        base.embeddings.requires_grad_(False)
        for layer in base.encoder.layer[: method.frozen_layers]:
            layer.requires_grad_(False)
    return base


def peft_config(method: Method) -> Any:
    """The PEFT configuration of a recipe's method."""
    if isinstance(method, FineTuning):
        raise DataError("Fine-tuning makes no adapter; expected lora or bottleneck.")
    if isinstance(method, Lora):
        from peft import LoraConfig

        return LoraConfig(
            r=method.rank,
            lora_alpha=method.alpha,
            lora_dropout=method.dropout,
            target_modules=list(method.targets),
        )
    from assistant.engine.bottleneck import BottleneckConfig

    return BottleneckConfig(size=method.size)


def with_adapter(base: Any, method: Method) -> Any:
    """The base with a new adapter of this method, in the base's own precision, as a PeftModel."""
    from peft import get_peft_model

    with warnings.catch_warnings():
        # PEFT 0.21 asks transformers for an attribute that transformers 5.23 renamed.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        return get_peft_model(base, peft_config(method), autocast_adapter_dtype=False)


class Learner:
    """One task that is being learnt: its rows as tokens and targets, and the model that learns it."""

    def __init__(
        self, recipe: Recipe, train: Sequence[Example], dev: Sequence[Example], model: AdaptedModel
    ) -> None:
        self.recipe, self.settings, self.model = recipe, recipe.training, model
        self.objective = objective(recipe.operation)
        self.data, self.dev = self.objective.encode(train, recipe), self.objective.encode(dev, recipe)
        self.model.to(training_device())
        _, outputs = head_form(recipe.operation, len(recipe.labels))
        balance = self.objective.class_weights(self.data, outputs, self.settings.class_balance)
        self.balance = balance.to(model.device)
        self.per_epoch = sum(1 for _ in self._epoch(random.Random(0)))

    def batches(self, first: int) -> Iterator[tuple[int, list[Encoded]]]:
        """(step, batch) from step `first` on, without end; the order of each epoch depends on the seed and the epoch
        only. Epochs may differ by a few batches: where long rows meet, fewer go into one."""
        epochs = (self._epoch(random.Random(self.settings.seed * 1009 + n)) for n in itertools.count())
        return itertools.islice(enumerate(itertools.chain.from_iterable(epochs)), first, None)

    def _epoch(self, rng: random.Random) -> Iterator[list[Encoded]]:
        return batches(self.data, self.settings.batch_size, rng, self.settings.batch_tokens)

    def loss(self, step: int, batch: Sequence[Encoded]) -> Tensor:
        """The loss (a scalar) of a batch; `step` seeds what is random in it."""
        ids, segments, mask = tensors(batch)
        if self.settings.token_dropout:
            generator = torch.Generator().manual_seed(self.settings.seed_of(step))
            ids = masked(ids, mask, self.settings.token_dropout, generator)
        with dropping(self.model, self.settings.seed_of(step)):
            logits = self.model(*(tensor.to(self.model.device) for tensor in (ids, segments, mask)))
        return self.objective.loss(logits, batch, self.settings, self.balance)

    def score(self) -> float:
        """How good the model is on dev, in [0, 1]."""
        return self.objective.score(predict_logits(self.model, self.dev), self.dev)


@contextmanager
def dropping(model: nn.Module, seed: int) -> Iterator[None]:
    """The adapters' dropout at work, drawn from this seed; that of the base stays off."""
    layers = [
        module
        for name, module in model.named_modules()
        if ".lora_dropout." in name and isinstance(module, nn.Dropout)
    ]
    if not layers:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for layer in layers:
            layer.train()
        try:
            yield
        finally:
            for layer in layers:
                layer.eval()


def new_model(recipe: Recipe, encoder: Any = None) -> AdaptedModel:
    """A model for this recipe, on an encoder that exists already or on one of its own."""
    view, outputs = head_form(recipe.operation, len(recipe.labels))
    return AdaptedModel(
        recipe.method, outputs, recipe.training.seed, view, layers=recipe.layers, encoder=encoder
    )


def started(recipe: Recipe, folder: Path) -> AdaptedModel:
    """A model whose adapter has the weights of another one's folder; its head, too, where that has the same labels.
    Raises what `take_adapter` does."""
    model = new_model(recipe)
    take_adapter(model.encoder, recipe.method, recipe.layers, folder)
    take_head(model, recipe, folder)
    return model


def take_adapter(encoder: Any, method: Method, layers: int | None, folder: Path) -> None:
    """Give an encoder's adapter, of this method on so many layers, the weights of another one's folder, cut to its rank
    where that is higher. Raises AdapterError for a folder that could not be served, DataError where it is of another
    form."""
    from peft.utils import set_peft_model_state_dict

    loaded = load_adapter(folder, BASE, Dimensions())
    theirs, ours = read_json(folder, CONFIG), peft_config(method).to_dict()
    wider = isinstance(method, Lora) and isinstance(theirs.get("r"), int) and theirs["r"] > ours["r"]
    for key in ("peft_type", "use_rslora", "size", *(() if wider else ("r", "lora_alpha"))):
        if theirs.get(key) != (value := ours.get(key)):
            raise DataError(
                f"The adapter to start from has {key} {theirs.get(key)!r:.40}; the one to be trained has {value!r:.40}."
            )
    changed, to_change = (sorted(config.get("target_modules") or ()) for config in (theirs, ours))
    if changed != to_change and isinstance(method, Lora):
        raise DataError(
            f"The adapter to start from changes {', '.join(changed)}; the one to be trained {', '.join(to_change)}."
        )
    if (has := loaded.manifest.layers) != layers:
        raise DataError(
            f"The adapter to start from has {has or 'all'} layers; the one to be trained has {layers or 'all'}."
        )
    weights = read_tensors(folder, WEIGHTS)
    if wider:
        _, rank, own = read_method(folder, ours)
        weights = narrowed(weights, rank, loaded.scaling / own)
    set_peft_model_state_dict(encoder, weights)


def narrowed(weights: Mapping[str, Tensor], rank: int, scale: float = 1.0) -> dict[str, Tensor]:
    """LoRA weights, A (r, in) and B (out, r) of each layer, as those of this lower rank whose updates B A are closest
    to `scale` times theirs: the truncated singular value decomposition (Eckart and Young 1936,
    https://doi.org/10.1007/BF02288367)."""
    result = {}
    for name in (name for name in weights if ".lora_A." in name):
        other = name.replace(".lora_A.", ".lora_B.")
        left, values, right = torch.linalg.svd(
            scale * weights[other].float() @ weights[name].float(), full_matrices=False
        )
        root = values[:rank].sqrt()
        result[name], result[other] = root[:, None] * right[:rank], left[:, :rank] * root
    return result


def take_head(model: AdaptedModel, recipe: Recipe, folder: Path) -> None:
    """Give a model the head of an adapter's folder where that has the recipe's labels."""
    manifest = read_manifest(folder)
    if (manifest.operation, manifest.labels) == (recipe.operation, recipe.labels):
        model.take_head(folder)


def going_on(start: Path | None) -> str:
    """What a record adds to the data of a run that went on from an adapter's folder; nothing for None."""
    return f" after {sha256((start / WEIGHTS).read_bytes()).hexdigest()[:16]}" if start else ""


def train(
    recipe: Recipe,
    train_data: Sequence[Example],
    dev_data: Sequence[Example],
    run: Path,
    report: Callable[[Progress, int, float], bool] = always,
    save_every: int = 500,
    model: AdaptedModel | None = None,
    start: Path | None = None,
) -> tuple[AdaptedModel, Progress]:
    """Train one adapter; return the model of the best dev evaluation and how the run went.

    `run`, `report` and `save_every` are those of `loop.fit`. `start` is the folder of an adapter of the same form, or
    of a higher rank, to go on from. `model` is trained on instead of a new one; the run's folder does not know what it
    was, so it is not to be resumed with another.
    """
    if start is not None:
        model = started(recipe, start)
    data = {"data": fingerprint(train_data) + going_on(start), "dev": fingerprint(dev_data)}
    learner = Learner(recipe, train_data, dev_data, model or new_model(recipe))
    steps = max(1, round(learner.per_epoch * recipe.training.epochs))
    problem = Problem(
        learner.model.trained(),
        recipe.training,
        steps,
        lambda first: itertools.islice(learner.batches(first), max(0, steps - first)),
        learner.loss,
        lambda: {"dev_score": learner.score()},
        recipe,
        data,
    )
    return learner.model, fit(problem, run, report, save_every)
