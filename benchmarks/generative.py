"""The causal engine against plain transformers, in one run on one machine, so that ratios mean something.

    python benchmarks/generative.py [--base FOLDER]

Writing: tokens a second and time to the first token, against `model.generate`. Labels: rows a second of the sentiment
prompt with its worked examples, by likelihood on the shared prefix against one generation per label. Without --base the
model is a small Llama with random weights: what it says means nothing, what it costs does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

import assistant_prompts
import torch

from assistant.engine.causal.engine import CausalEngine
from assistant.engine.causal.loading import load_base
from assistant.engine.causal.skills import Skill
from assistant.engine.echo import EchoEngine
from assistant.prompts import load_prompt

PROMPTS = Path(assistant_prompts.__path__[0])
NEW_TOKENS = 48
ROWS = (
    "I expected a dull evening and stayed for the encore.",
    "The battery died after two weeks.",
    "The train to Lisbon leaves from platform 3 today.",
    "Not bad at all! I'd happily eat here again.",
    "Great, another update that hides the one button I use.",
    "does anyone know if the museum is open on mondays?",
    "A gifted cast cannot save a script that has nothing to say.",
    "Nothing to complain about: delivered early, well packed.",
)


def write_base(folder: Path) -> Path:
    """A Llama of some 15 million parameters with random weights and a tokenizer of the prompts' own words."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=8000, special_tokens=["<end>"], initial_alphabet=alphabet, show_progress=False
    )
    texts = (path.read_text(encoding="utf-8") for path in sorted(PROMPTS.glob("*/*.yaml")))
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(fast), hidden_size=384, intermediate_size=1152, num_hidden_layers=8,
        num_attention_heads=6, num_key_value_heads=2, max_position_embeddings=4096, initializer_range=0.1,
        bos_token_id=None, eos_token_id=fast.eos_token_id, tie_word_embeddings=True,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def plain(model: Any, ids: list[int], count: int, streamer: Any = None) -> Any:
    """What transformers generates by itself, greedily."""
    given = torch.tensor([ids], device=model.device)
    return model.generate(
        given, attention_mask=torch.ones_like(given), max_new_tokens=count, do_sample=False, streamer=streamer
    )


def writing(engine: CausalEngine, model: Any, tokenizer: Any, repeats: int) -> None:
    from transformers import TextIteratorStreamer

    prompt = load_prompt(PROMPTS / "summarization", "en").render({"text": ROWS[0]}, 4)
    ids = engine.tokens.whole(prompt)
    ours, theirs = [], []
    for _ in range(repeats + 1):  # the first one warms up
        started = time.perf_counter()
        pieces = engine.generate(prompt, max_tokens=NEW_TOKENS)
        next(pieces)
        first = time.perf_counter() - started
        count = 1 + sum(1 for _ in pieces)
        ours.append((first, time.perf_counter() - started, count))
        streamer = TextIteratorStreamer(tokenizer, skip_prompt=True)
        started = time.perf_counter()
        thread = Thread(target=plain, args=(model, ids, NEW_TOKENS, streamer))
        thread.start()
        next(streamer)
        first = time.perf_counter() - started
        list(streamer)
        thread.join()
        theirs.append((first, time.perf_counter() - started, NEW_TOKENS))
    print(f"writing, {len(ids):,} tokens of prompt, {NEW_TOKENS} new ones")
    for name, runs in (("engine", ours[1:]), ("transformers", theirs[1:])):
        first, whole = (median(run[i] for run in runs) for i in (0, 1))
        print(f"  {name:14} {NEW_TOKENS / whole:7.1f} tokens/s, first after {1000 * first:6.0f} ms")


def labels(engine: CausalEngine, model: Any, skill: Skill, adapter: Path, repeats: int) -> None:
    names = [label.name for label in skill.prompt.labels.values()]
    rows = [engine._row(skill, text, names) for text in ROWS]
    ours, alone, theirs = [], [], []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        engine.classify(ROWS, adapter)
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        engine.classify(ROWS[:1], adapter)
        alone.append(time.perf_counter() - started)
        started = time.perf_counter()
        for row in rows:
            for label in row.labels:
                plain(model, [*row.prefix, *row.ids], len(label))
        theirs.append(time.perf_counter() - started)
    prompt = len(rows[0].prefix) + len(rows[0].ids)
    shared, one, each = (median(times[1:]) for times in (ours, alone, theirs))
    print(f"labels, {len(names)} of them, {prompt:,} tokens of prompt, {len(ROWS)} rows")
    print(f"  on the shared prefix      {len(ROWS) / shared:7.1f} rows/s ({1 / one:.1f} one at a time)")
    print(f"  a generation per label    {len(ROWS) / each:7.1f} rows/s")
    print(f"  ratio                     {each / shared:7.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.base or str(write_base(Path(temporary) / "small"))
        base = load_base(folder, "none")
        engine = CausalEngine(base, EchoEngine())
        print(f"{base.info.name}: {base.info.parameters:,} parameters, {base.info.quantization}")
        from assistant_plugins.sentiment import Sentiment

        engine.prepare([Sentiment()])
        assert Sentiment.adapter is not None
        skill = engine.skills.get(Sentiment.adapter, "en")
        writing(engine, base.model, base.tokenizer, options.repeats)
        labels(engine, base.model, skill, Sentiment.adapter, options.repeats)
        engine.close()


if __name__ == "__main__":
    main()
