"""LoRA on a causal base: it learns to go on from an application's prompt with the right label's name.

The prompt is the one that is served, without worked examples; the loss is that of the label's tokens only. A base in
4 bit makes it QLoRA (Dettmers et al. 2023, arXiv 2305.14314).
"""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine.adapters import WEIGHTS
from assistant.engine.causal.engine import CausalEngine
from assistant.engine.causal.loading import CausalBase
from assistant.engine.causal.prompting import Prompting
from assistant.engine.causal.skills import PROMPTS
from assistant.engine.causal.tokens import Tokens
from assistant.engine.echo import EchoEngine
from assistant.engine.manifest import BaseReference, Manifest, write_manifest
from assistant.errors import DataError
from assistant.prompts import load_prompt
from assistant.workshop.data import Example, fingerprint
from assistant.workshop.loop import Problem, Progress, always, fit
from assistant.workshop.publishing import Sources, card, described, halved, measured, replacing
from assistant.workshop.recipe import Lora, Recipe, Training
from assistant.workshop.training import dropping

# What vLLM serves without being told otherwise.
MAX_RANK = 16
# A step takes longer than the encoder's. Steps.
SAVE_EVERY = 100
# A row's tokens and how many of them, at the end, are to be learnt.
Learnt = tuple[tuple[int, ...], int]


def train_causal(
    base: CausalBase,
    recipe: Recipe,
    train: Sources,
    dev: Sources,
    prompts: Path,
    folder: Path,
    title: str,
    command: str,
    run: Path,
    report: Callable[[Progress, int, float], bool] = always,
) -> Manifest | None:
    """Train a LoRA adapter on the recipe's rows and write its folder: PEFT's files, prompt files, manifest and card.

    The weights are those of the best dev evaluation, by the probability of the right label. `run` and `report` are
    those of `loop.fit`: a run that was stopped goes on from its folder; until it has ended no adapter is written and
    the result is None. Raises DataError for a recipe that a causal base cannot learn, and for a run folder of another
    recipe, other data or another base.
    """
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if recipe.operation != "classify" or not isinstance(recipe.method, Lora):
        raise DataError(
            f"A causal base learns to classify, with LoRA; the recipe is to {recipe.operation} "
            f"with {recipe.method.name}."
        )
    settings = recipe.training
    examples, dev_examples = ([e for _, rows in sources for e in rows] for sources in (train, dev))
    data, dev_data = (_encoded(base, recipe, prompts, each) for each in (examples, dev_examples))
    torch.manual_seed(settings.seed)
    model = base.model
    if base.plan.name != "none":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        _let_gradients_through(model)
    rank = min(recipe.method.rank, MAX_RANK)
    alpha = recipe.method.alpha * rank / recipe.method.rank
    method = recipe.method.model_copy(update={"rank": rank, "alpha": alpha})
    config = LoraConfig(
        r=method.rank,
        lora_alpha=method.alpha,
        lora_dropout=method.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, config)

    def loss(step: int, batch: list[Learnt]) -> Tensor:
        with dropping(model, settings.seed_of(step)):
            return _loss(model, batch, base.device)

    per_epoch = -(-len(data) // settings.batch_size)
    steps = max(1, round(per_epoch * settings.epochs))
    problem = Problem(
        {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad},
        settings,
        steps,
        lambda first: _batches(data, settings, first, steps),
        loss,
        lambda: {"dev_score": _probability(model, dev_data, settings.batch_size, base.device)},
        recipe,
        {
            "data": fingerprint(examples),
            "dev": fingerprint(dev_examples),
            "base": base.info.sha256,
            "quantization": base.plan.name,
        },
    )
    stopped = False

    def watched(progress: Progress, steps: int, loss: float) -> bool:
        nonlocal stopped
        stopped = not report(progress, steps, loss)
        return not stopped

    progress = fit(problem, run, watched, SAVE_EVERY)
    if stopped:
        return None
    manifest = Manifest(
        name=recipe.application,
        operation=recipe.operation,
        base=BaseReference(name=base.info.name, sha256=base.info.sha256, quantization=base.info.quantization),
        labels=recipe.labels,
        fields=recipe.fields,
        **described(recipe.model_copy(update={"method": method}), train, progress.seconds),
    )
    return _published(base, model, manifest, dev, prompts, folder, title, command)


def _let_gradients_through(model: torch.nn.Module) -> None:
    """Put the quantized layers into training mode; the rest stays without dropout.

    In evaluation mode bitsandbytes packs 4-bit weights on a processor anew, in a form through which no gradient comes
    back.
    """
    for module in model.modules():
        if type(module).__module__.startswith("bitsandbytes."):
            module.training = True


def _batches(
    data: Sequence[Learnt], settings: Training, first: int, steps: int
) -> Iterator[tuple[int, list[Learnt]]]:
    """(step, batch) from step `first` on; the order of each epoch depends on the seed and the epoch only."""
    size = settings.batch_size
    per_epoch = -(-len(data) // size)
    for epoch in range(first // per_epoch, -(-steps // per_epoch)):
        shuffled = random.Random(settings.seed * 1009 + epoch).sample(data, len(data))
        for step in range(max(first, epoch * per_epoch), min(steps, (epoch + 1) * per_epoch)):
            place = (step - epoch * per_epoch) * size
            yield step, shuffled[place : place + size]


def _encoded(base: CausalBase, recipe: Recipe, prompts: Path, examples: Sequence[Example]) -> list[Learnt]:
    """Each row as the model gets it, with its label's tokens at the end. Raises DataError where the prompt has other
    labels than the recipe."""
    prompt = load_prompt(prompts, "en")
    if set(prompt.labels) != set(recipe.labels):
        raise DataError(
            f"The prompt has the labels {', '.join(prompt.labels) or 'none'}; the recipe {', '.join(recipe.labels)}."
        )
    tokens = Tokens(base.tokenizer, base.info.name)
    # Tokens of the prompt around the texts, those kept free for an answer included.
    around = -Prompting(tokens, 0).room(prompt, 0)
    prompting = Prompting(tokens, min(base.window, recipe.training.max_tokens + around))
    names = {
        key: tokens.continuation(prompt.template[-1], f" {label.name}")
        for key, label in prompt.labels.items()
    }
    rows = []
    for example in examples:
        prompted = prompting.prompted(prompt, example.texts)
        target = names[example.label]
        rows.append(((*prompted.shared, *prompted.own, *target), len(target)))
    return rows


def _loss(model: torch.nn.Module, rows: Sequence[Learnt], device: str) -> Tensor:
    """The mean cross entropy of the labels' tokens."""
    width = max(len(ids) for ids, _ in rows)
    ids, mask = (torch.zeros(len(rows), width, dtype=torch.long) for _ in range(2))
    targets = torch.full((len(rows), width), -100)
    for row, (sequence, learnt) in enumerate(rows):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
        targets[row, len(sequence) - learnt : len(sequence)] = torch.tensor(sequence[-learnt:])
    logits = model(input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False).logits
    return F.cross_entropy(logits[:, :-1].float().flatten(0, 1), targets[:, 1:].flatten().to(device))


@torch.inference_mode()
def _probability(model: torch.nn.Module, data: Sequence[Learnt], size: int, device: str) -> float:
    """The geometric mean of the probabilities that the labels' tokens have, in [0, 1]."""
    ordered = sorted(data, key=lambda row: len(row[0]))
    total = count = 0.0
    for first in range(0, len(ordered), size):
        batch = ordered[first : first + size]
        tokens = sum(learnt for _, learnt in batch)
        total += float(_loss(model, batch, device)) * tokens
        count += tokens
    return math.exp(-total / count)


def _published(
    base: CausalBase,
    model: torch.nn.Module,
    manifest: Manifest,
    dev: Sources,
    prompts: Path,
    folder: Path,
    title: str,
    command: str,
) -> Manifest:
    """Write the folder, measured on the engine that serves it."""
    with replacing(folder) as temporary:
        model.save_pretrained(temporary, save_embedding_layers=False)  # type: ignore[operator]
        halved(temporary / WEIGHTS)
        shutil.copytree(prompts, temporary / PROMPTS, ignore=shutil.ignore_patterns("__pycache__"))
        write_manifest(manifest, temporary)
        bare = model.unload().eval().requires_grad_(False)  # type: ignore[operator]
        with closing(CausalEngine(replace(base, model=bare), EchoEngine())) as engine:
            manifest = measured(manifest, temporary, dev, engine)
        write_manifest(manifest, temporary)
        text = card(manifest, title, command, base.info.name)
        (temporary / "README.md").write_text(text, encoding="utf-8")
    return manifest
