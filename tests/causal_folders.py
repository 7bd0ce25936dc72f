"""A real causal architecture with random weights, built from configuration with a tokenizer trained here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import assistant_prompts
import torch

from assistant.applications import Application

PROMPTS = Path(assistant_prompts.__path__[0])
# What the tokenizer is made of: with another application's prompts it would be another model, which says other things.
READ = (
    "commonsense", "cyberbullying", "error_detection", "nli", "question_answering", "sentiment", "summarization",
)  # fmt: skip
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TASKS = {
    "classify": ("sentiment", "text-classification"),
    "choose": ("commonsense", "multiple-choice"),
    "extract": ("question_answering", "question-answering"),
    "rank": ("summarization", "summarization"),
}
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def texts() -> Iterator[str]:
    for path in sorted(path for name in READ for path in (PROMPTS / name).glob("*.yaml")):
        yield path.read_text(encoding="utf-8")


def write_base(
    folder: Path, *, template: str | None = CHAT_TEMPLATE, window: int = 1024, seed: int = 0
) -> Path:
    """A two-layer Llama of about 250,000 parameters with a byte-level BPE tokenizer of 1,500 pieces."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=1500, special_tokens=list(CONTROL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts(), trainer)
    # Like Qwen's: a control token that is not marked as special.
    tokenizer.add_tokens([AddedToken("<think>", special=False)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    fast.chat_template = template
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=window,
        bos_token_id=None,
        eos_token_id=fast.eos_token_id,
        initializer_range=0.2,
        tie_word_embeddings=True,
    )
    model = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def write_lora(
    folder: Path, base: Path, sha256: str, prompt: Path, labels: tuple[str, ...], seed: int
) -> Path:
    """A LoRA folder with random weights, as PEFT leaves it, with a manifest and the prompt files."""
    import shutil

    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from assistant.engine.manifest import BaseReference, Manifest, write_manifest

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model, config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder, save_embedding_layers=False)
    shutil.copytree(prompt, folder / "prompts")
    reference = BaseReference(name=base.name, sha256=sha256, quantization="none")
    write_manifest(Manifest(name=folder.name, operation="classify", base=reference, labels=labels), folder)
    return folder


def skill(name: str, task: str, folder: Path) -> Application:
    """An application with the prompt files of a built-in one and an adapter folder that is not there."""
    attributes: dict[str, Any] = {
        "id": name,
        "title": name,
        "task": task,
        "adapter": folder,
        "prompts": PROMPTS / name,
        "answer": lambda self, request, engine: iter(()),
    }
    made: Application = type("Skill", (Application,), attributes)()
    return made
