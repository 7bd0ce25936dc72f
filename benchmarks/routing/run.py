"""How well messages are routed and their payloads found.

    python benchmarks/routing/run.py [--split build|held-out] [--errors]

Application: an answer by the right application, or by none where none is meant (asking back counts as none).
Messages that are marked "blind" were written without knowledge of how messages are read, a third of them hard on
purpose. Once their errors have been looked at they are for building.
Payload: all fields exactly as marked, over the messages that have one. Answered: the messages meant for none that an
application answers all the same. Intervals are Wilson's at 95 %.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping
from math import sqrt
from pathlib import Path
from typing import Any

from assistant.applications import Application, Payload, Request, Turn
from assistant.errors import InputError
from assistant.payload import MessageReader
from assistant.routing import Router

MESSAGES = Path(__file__).with_name("messages.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=["build", "held-out"], default="held-out")
    parser.add_argument("--errors", action="store_true", help="print what went wrong")
    options = parser.parse_args()
    engine, applications = installed()
    router = Router(engine, applications, MessageReader(engine))
    rows = load(options.split)
    for blind in (False, True):
        print("written by others, a third of them hard on purpose" if blind else "our own")
        report(router, [row for row in rows if row.get("blind", False) is blind], options.errors)


def installed() -> tuple[Any, Mapping[str, Application]]:
    """The embedded engine and the built-in applications."""
    from assistant.engine.encoder import EncoderEngine
    from assistant.plugins import PluginManager
    from assistant.settings import Settings

    return EncoderEngine(), PluginManager(Settings.from_environment()).applications


def load(split: str) -> list[dict[str, Any]]:
    with MESSAGES.open(encoding="utf-8") as lines:
        return [row for row in map(json.loads, lines) if row["split"] == split]


def request(row: Mapping[str, Any]) -> Request:
    history = tuple(
        Turn(turn["role"], turn["text"], turn["application"], Payload(turn["payload"]))
        for turn in row.get("history", ())
    )
    return Request(row["message"], history=history)


def answer(router: Router, row: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None, str]:
    try:
        route, payload = router.route(request(row))
    except InputError as error:
        return "none", None, str(error)
    detail = f"{route.score:.2f} {route.reason} {route.alternatives}"
    return route.application or "none", payload.fields if payload else None, detail


def report(router: Router, rows: Iterable[Mapping[str, Any]], errors: bool) -> None:
    rows = list(rows)
    router.route(Request("hello"))
    start = time.perf_counter()
    answers = [answer(router, row) for row in rows]
    milliseconds = 1_000 * (time.perf_counter() - start) / len(rows)
    right = [row["application"] == got for row, (got, _, _) in zip(rows, answers, strict=True)]
    payload = [_exact(row, got) for row, (_, got, _) in zip(rows, answers, strict=True) if row.get("payload")]
    answered = [
        got != "none" for row, (got, _, _) in zip(rows, answers, strict=True) if row["application"] == "none"
    ]
    if errors:
        for row, (got, fields, detail) in zip(rows, answers, strict=True):
            if got != row["application"] or not _exact(row, fields):
                print(
                    f"{row['message']!r}\n  wanted {row['application']} {row.get('payload')}\n"
                    f"  got    {got} {fields}\n  {detail}"
                )
    print(f"{len(rows)} messages, {milliseconds:.1f} ms each")
    for name, hits in (("application", right), ("exact payload", payload), ("none answered", answered)):
        low, high = wilson(sum(hits), len(hits))
        print(
            f"{name:14} {sum(hits):4} of {len(hits):4} = {sum(hits) / len(hits):6.1%}  "
            f"[{low:.1%}, {high:.1%}]"
        )


def _exact(row: Mapping[str, Any], found: Mapping[str, Any] | None) -> bool:
    """Whether all that is marked was found; of choices that ask nothing the question is not marked."""
    wanted = row.get("payload") or {}
    return not wanted or {name: (_as_json(found) or {}).get(name) for name in wanted} == wanted


def _as_json(fields: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A payload as it stands in the file: choices are a list there."""
    return fields and {name: list(v) if isinstance(v, tuple) else v for name, v in fields.items()}


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval (1927) for a proportion."""
    share = hits / n
    middle = share + z * z / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)


if __name__ == "__main__":
    main()
