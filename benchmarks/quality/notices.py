"""How right the notice about abusive text is: `python benchmarks/quality/notices.py ADAPTER … --data FOLDER`.

For each adapter and threshold: the share of Wang 2020 dev rows that get a notice, how many of those are bullying
(precision), how many of the bullying rows get one (recall), and the share of plain sentences that get one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from assistant_plugins.cyberbullying import NOT_BULLYING, NOTICE_FROM

from assistant.engine.encoder import EncoderEngine
from assistant.workshop.data import read_examples, read_unlabelled


def main() -> None:
    """Print a line per adapter and threshold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("adapters", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--thresholds", type=float, nargs="+", default=[NOTICE_FROM])
    given = parser.parse_args()
    posts = read_examples(given.data / "cyberbullying/wang2020/dev.jsonl.gz", ("text",))
    plain = read_unlabelled(given.data / "grammar/clean_sentences/dev.jsonl.gz", ("text",))
    bullying = np.array([e.label != NOT_BULLYING for e in posts])
    engine = EncoderEngine()
    for adapter in given.adapters:
        certain = []
        for rows in (posts, plain):
            found = engine.classify([e.texts[0] for e in rows], adapter)
            certain.append(
                np.array([0.0 if c.label == NOT_BULLYING else max(c.probabilities) for c in found])
            )
        for threshold in given.thresholds:
            noticed, alarms = certain[0] >= threshold, certain[1] >= threshold
            print(
                f"{adapter.parent.name}/{adapter.name} from {threshold:.2f}: notices {noticed.mean():.3f}, "
                f"precision {bullying[noticed].mean():.4f}, recall {noticed[bullying].mean():.4f}, "
                f"plain sentences {alarms.mean():.4f} of {len(plain):,}",
                flush=True,
            )
    engine.close()


if __name__ == "__main__":
    main()
