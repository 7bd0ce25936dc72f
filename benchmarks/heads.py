"""What several heads cost: `python benchmarks/heads.py ADAPTER SINGLE DATA.jsonl.gz [--rows N] [--at-once N ...]`.

The seconds of `Engine.multitask` with ADAPTER, which has several heads, over those of `Engine.classify` with SINGLE,
which has one, on the same texts in the same run: they take turns, call by call, and of each call the fastest run
counts. To compare with, also ADAPTER's own heads asked one after the other.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from assistant.engine.encoder import EncoderEngine
from assistant.engine.manifest import read_manifest
from assistant.workshop.compression.timing import taking_turns
from assistant.workshop.data import read_unlabelled, spread


def one_by_one(engine: EncoderEngine, adapter: Path, texts: Sequence[str]) -> None:
    for name in engine.adapter(adapter).labels:
        operation = read_manifest(adapter / name).operation
        getattr(engine, operation)(texts, adapter / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("single", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=320)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 32])
    options = parser.parse_args()
    texts = [e.texts[0] for e in spread(read_unlabelled(options.data, ("text",)), options.rows)]
    with closing(EncoderEngine()) as engine:
        for size in options.at_once:
            calls = [texts[start : start + size] for start in range(0, len(texts), size)]
            models = [
                partial(engine.classify, adapter=options.single),
                partial(engine.multitask, adapter=options.adapter),
                partial(one_by_one, engine, options.adapter),
            ]
            single, together, apart = taking_turns(models, calls, rounds=5)
            print(
                f"{size} at once, {len(texts)} texts: one head {1000 * single / len(texts):.2f} ms a text; "
                f"all heads in one pass {together / single:.2f} x, one after the other {apart / single:.2f} x"
            )


if __name__ == "__main__":
    main()
