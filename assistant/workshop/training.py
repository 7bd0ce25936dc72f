"""The training loop: one adapter and its head on the frozen base, resumable, deterministic by seed.

The base carries the weights that its int8 form stands for, so that an adapter learns what it will be served
on. It computes in bfloat16 with float32 master weights for what is trained (Micikevicius et al. 2018, arXiv
1710.03740); its own dropout is off: a frozen base with a small adapter hardly overfits, and random numbers cost
a tenth of the time.
"""

from __future__ import annotations

import json
import math
import random
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from assistant.engine import embedded
from assistant.engine.adapters import head_form
from assistant.engine.encoder import CLS, SEP
from assistant.engine.heads import Head, View, new_head
from assistant.engine.memory import give_back_freed_memory, keep_freed_memory
from assistant.engine.quantization import fake_quantized
from assistant.errors import DataError
from assistant.workshop.data import Example, fingerprint
from assistant.workshop.objectives import Encoded, objective
from assistant.workshop.recipe import FineTuning, Lora, Method, Recipe, Training

MASK_TOKEN = 103  # [MASK] of the BERT vocabulary
# A batch holds at most this many tokens, padding included, so that long texts do not swell the memory.
MAX_BATCH_TOKENS = 8192
# Steps. Batches differ in shape, so freed blocks seldom fit again and the heap would grow to several gigabytes.
GIVE_BACK_EVERY = 25


@dataclass
class Progress:
    """Where a run stands; also what is resumed from."""

    step: int = 0
    best_step: int = 0
    best_score: float = -math.inf
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class AdaptedModel(nn.Module):
    """The frozen base with one trainable adapter (through PEFT), or a base that is itself trained, and a head."""

    def __init__(
        self,
        method: Method,
        outputs: int,
        seed: int,
        view: View = "pooled",
        dtype: torch.dtype = torch.bfloat16,
        layers: int | None = None,
    ) -> None:
        super().__init__()
        torch.manual_seed(seed)
        base = base_model(layers).to(dtype)
        self.encoder = (
            unfrozen(base, method) if isinstance(method, FineTuning) else with_adapter(base, method)
        )
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

    def trained(self) -> dict[str, nn.Parameter]:
        """What is trained, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}


def base_model(layers: int | None = None) -> Any:
    """The embedded base, or its lowest `layers` layers, as a transformers BertModel with the weights that its int8 form
    stands for. Raises DataError for more layers than there are."""
    from transformers import BertConfig, BertModel

    # Eager attention: on a CPU the backward pass of the fused one takes a third of the whole time.
    config = BertConfig.from_pretrained(embedded.folder(), attn_implementation="eager")
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
            r=method.rank, lora_alpha=method.alpha, target_modules=["query", "key", "value", "dense"]
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


def batches(data: Sequence[Encoded], size: int, rng: random.Random | None) -> Iterator[list[Encoded]]:
    """Batches of similar length; shuffled when `rng` is given, otherwise sorted by length."""
    order = list(range(len(data)))
    if rng is not None:
        rng.shuffle(order)
    # Sorting within large chunks of the shuffled order keeps padding small and the order random.
    chunk = size * 64 if rng is not None else len(order) or 1
    groups: list[list[Encoded]] = []
    for start in range(0, len(order), chunk):
        members = sorted(order[start : start + chunk], key=lambda i: data[i].width)
        group: list[Encoded] = []
        for i in members:
            rows = sum(len(e.sequences) for e in group)
            # An example with several sequences counts as many: batches of every operation cost about the same.
            more = rows + len(data[i].sequences)
            if group and (more > size or more * data[i].width > MAX_BATCH_TOKENS):
                groups.append(group)
                group = []
            group.append(data[i])
        groups.append(group)
    if rng is not None:
        rng.shuffle(groups)
    yield from (group for group in groups if group)


def tensors(batch: Sequence[Encoded], device: torch.device | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, segments and mask (sequences, tokens) of all sequences in order, padded on the right."""
    sequences = [tokens for e in batch for tokens in e.sequences]
    width = max(len(tokens.ids) for tokens in sequences)
    padding = [[0] * (width - len(tokens.ids)) for tokens in sequences]
    ids = torch.tensor([t.ids + zeros for t, zeros in zip(sequences, padding, strict=True)])
    segments = torch.tensor([t.segments + zeros for t, zeros in zip(sequences, padding, strict=True)])
    mask = torch.tensor([[1] * len(t.ids) + zeros for t, zeros in zip(sequences, padding, strict=True)])
    return ids.to(device), segments.to(device), mask.to(device)


@torch.inference_mode()
def predict_logits(model: AdaptedModel, data: Sequence[Encoded], batch_size: int = 64) -> list[Tensor]:
    """For each example its logits (sequences, outputs) or (sequences, tokens, outputs), in the order of `data`."""
    found: dict[int, Tensor] = {}
    for batch in batches(data, batch_size, None):
        logits = model(*tensors(batch, model.device)).cpu()
        parts = logits.split([len(e.sequences) for e in batch])
        found |= {id(e): part for e, part in zip(batch, parts, strict=True)}
    return [found[id(e)] for e in data]


def _dropped(ids: Tensor, mask: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Replace a share of the word pieces, never the first or a separator, by [MASK]."""
    keep = torch.rand(ids.shape, generator=generator) >= rate
    special = (ids == CLS) | (ids == SEP) | (mask == 0)
    return torch.where(keep | special, ids, torch.full_like(ids, MASK_TOKEN))


def train(
    recipe: Recipe,
    train_data: Sequence[Example],
    dev_data: Sequence[Example],
    run: Path,
    report: Callable[[Progress, int, float], bool] = lambda progress, steps, loss: True,
    save_every: int = 500,
    model: AdaptedModel | None = None,
) -> tuple[AdaptedModel, Progress]:
    """Train one adapter; return the model of the best dev evaluation and how the run went.

    `run` is a folder for checkpoints and `record.json`; when it holds a checkpoint of the same recipe and data,
    the run goes on from there and ends as if it had never stopped. `report` is called after every step with the
    progress, the number of steps and the running loss; returning False stops the run (the checkpoint is kept). `model`
    is trained on instead of a new one; the run's folder does not know what it was, so it is not to be resumed with
    another.
    """
    keep_freed_memory()
    settings = recipe.training
    task = objective(recipe.operation)
    data, dev = task.encode(train_data, recipe), task.encode(dev_data, recipe)
    view, outputs = head_form(recipe.operation, len(recipe.labels))
    if model is None:
        model = AdaptedModel(recipe.method, outputs, settings.seed, view, layers=recipe.layers)
    model.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    weights = MasterWeights(model.trained())
    optimizer = torch.optim.AdamW(
        list(weights.masters.values()),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        betas=(0.9, 0.98),
    )
    per_epoch = sum(1 for _ in batches(data, settings.batch_size, random.Random(0)))
    steps = max(1, round(per_epoch * settings.epochs))
    evaluate_every = max(1, steps // settings.evaluations)
    identity = {
        "recipe": recipe.model_dump(mode="json"),
        "data": fingerprint(train_data),
        "dev": fingerprint(dev_data),
    }
    progress = _resume(run, identity, weights, optimizer)
    balance = task.class_weights(data, outputs, settings.class_balance).to(model.device)
    started, running = time.monotonic() - progress.seconds, 0.0
    for step, batch in _steps(data, settings, per_epoch, progress.step, steps):
        if progress.step - progress.best_step > settings.patience * evaluate_every and progress.best_step:
            break
        ids, segments, mask = tensors(batch)
        if settings.token_dropout:
            # A generator per step, so that a resumed run draws the same.
            generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
            ids = _dropped(ids, mask, settings.token_dropout, generator)
        logits = model(*(tensor.to(model.device) for tensor in (ids, segments, mask)))
        loss = task.loss(logits, batch, settings, balance)
        loss.backward()  # type: ignore[no-untyped-call]
        weights.take_gradients()
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _schedule(step, steps, settings.warmup)
        optimizer.step()
        weights.give_values()
        running = 0.98 * running + 0.02 * loss.item() if running else loss.item()
        progress.step, progress.seconds = step + 1, time.monotonic() - started
        if progress.step % evaluate_every == 0 or progress.step == steps:
            score = task.score(predict_logits(model, dev), dev)
            progress.history.append(
                {"step": progress.step, "loss": round(running, 4), "dev_score": round(score, 5)}
            )
            if score > progress.best_score:
                progress.best_score, progress.best_step = score, progress.step
                _write(run / "best.safetensors", {n: p.detach() for n, p in weights.masters.items()})
        if progress.step % GIVE_BACK_EVERY == 0:
            give_back_freed_memory()
        if progress.step % save_every == 0 or progress.step == steps:
            _save(run, identity, weights, optimizer, progress)
        if not report(progress, steps, running):
            _save(run, identity, weights, optimizer, progress)
            break
    if (run / "best.safetensors").is_file():
        best = load_file(run / "best.safetensors")
        with torch.no_grad():
            for name, master in weights.masters.items():
                master.copy_(best[name])
        weights.give_values()
    return model, progress


def _steps(
    data: Sequence[Encoded], settings: Training, per_epoch: int, first: int, steps: int
) -> Iterator[tuple[int, list[Encoded]]]:
    """(step, batch) from step `first` on; the order of each epoch depends on the seed and the epoch only."""
    for epoch in range(first // per_epoch, math.ceil(steps / per_epoch)):
        ordered = batches(data, settings.batch_size, random.Random(settings.seed * 1009 + epoch))
        for step, batch in enumerate(ordered, epoch * per_epoch):
            if first <= step < steps:
                yield step, batch


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Linear warm-up, then linear decay to zero; a factor in [0, 1]."""
    rise = max(1, round(steps * warmup))
    return (step + 1) / rise if step < rise else max(0.0, (steps - step) / max(1, steps - rise))


def _save(
    run: Path,
    identity: dict[str, Any],
    weights: MasterWeights,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """Write a checkpoint: parameters and optimizer state in one file, progress and identity in another."""
    state: dict[str, Tensor] = {}
    for name, master in weights.masters.items():
        state[f"master.{name}"] = master.detach()
        for key, value in optimizer.state[master].items():
            state[f"{key}.{name}"] = value
    _write(run / "checkpoint.safetensors", state)
    content = json.dumps({**identity, "progress": vars(progress)}, indent=1)
    temporary = run / "record.json.tmp"
    temporary.write_text(content, encoding="utf-8")
    temporary.replace(run / "record.json")


def _write(path: Path, state: dict[str, Tensor]) -> None:
    """Save tensors under a temporary name, then rename: a half-written file never bears the final name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    save_file({name: value.contiguous() for name, value in state.items()}, temporary)
    temporary.replace(path)


def _same(stored: dict[str, Any], identity: dict[str, Any]) -> bool:
    """Whether a record is of this recipe and data. Recipes are compared as read: a key that the record does not have
    yet has its default."""
    try:
        recipe = Recipe.model_validate(stored["recipe"]).model_dump(mode="json")
    except (KeyError, ValidationError):
        return False
    return {**{key: stored.get(key) for key in identity}, "recipe": recipe} == identity


def _resume(
    run: Path, identity: dict[str, Any], weights: MasterWeights, optimizer: torch.optim.Optimizer
) -> Progress:
    """Take up the checkpoint in `run`. Raises DataError when it belongs to another recipe or other data."""
    record, checkpoint = run / "record.json", run / "checkpoint.safetensors"
    if not (record.is_file() and checkpoint.is_file()):
        (run / "best.safetensors").unlink(missing_ok=True)
        return Progress()
    stored = json.loads(record.read_text(encoding="utf-8"))
    if not _same(stored, identity):
        raise DataError(
            f"The run folder {run.name!r} holds a run of another recipe or other data; name another folder."
        )
    state = load_file(checkpoint)
    with torch.no_grad():
        for name, master in weights.masters.items():
            master.copy_(state[f"master.{name}"])
            optimizer.state[master] = {
                "step": state[f"step.{name}"],
                **{key: state[f"{key}.{name}"].to(master.device) for key in ("exp_avg", "exp_avg_sq")},
            }
    weights.give_values()
    return Progress(**stored["progress"])
