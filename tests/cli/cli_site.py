"""The plugin that the commands are tried on, and what many of their tests ask."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

# A third-party plugin as pip leaves it: a package, and its entry point in the metadata.
PLUGIN = """
from pathlib import Path
from assistant import Application, Text, TextClassification, hookimpl

HERE = Path(__file__).parent


class Mood(TextClassification):
    id, title, description = "mood", "Mood", "Tells the mood of a text."
    examples = ("Which mood is this: what a day", "mood: I am tired", "Is the mood good here? 'We won'")
    cues = ("mood",)
    adapter, prompts = HERE / "adapter", HERE / "prompts"


class Follows(TextClassification):
    id, title, description = "follows", "Follows", "Tells whether a text follows from another."
    fields = ("premise", "hypothesis")
    adapter = HERE / "entailment"


class Boom(Application):
    id, title, description, task = "boom", "Boom", "Fails.", "text-generation"

    def answer(self, request, engine):
        yield Text("One moment.")
        raise KeyError("a secret")


@hookimpl
def register_applications():
    return [Mood(), Follows(), Boom()]
"""
RECIPE = """
application: mood
labels: [bad, good]
method: {name: lora, rank: 2}
training: {epochs: 2, batch_size: 8, evaluations: 2, max_tokens: 16}
train: [{path: mood/train.jsonl, licence: none stated}]
dev: [{path: mood/dev.jsonl, licence: none stated}]
"""
TEXTS = {
    "good": ("a lovely day", "we won again", "what a nice song"),
    "bad": ("rain again", "we lost", "I hate it"),
}
SHOTS = [
    {"input": {"text": f"{text}{end}"}, "label": label}
    for label in TEXTS
    for text in TEXTS[label]
    for end in "!."
]
PROMPT = {
    "version": "1",
    "language": "en",
    "title": "Mood",
    "description": "The mood of a text.",
    "instruction": "Tell the mood.",
    "fields": ["text"],
    "labels": {
        "good": {"name": "good", "description": "Good."},
        "bad": {"name": "bad", "description": "Bad."},
    },
    "hypothesis": "The mood is $label.",
    "template": "$text\nMood:",
    "shots": SHOTS,
}


Assistant = Callable[..., Result]


def refused(result: Result, *words: str) -> None:
    """One sentence on stderr that holds the words, exit status 1, nothing on stdout."""
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert all(word in result.stderr for word in words), result.stderr


def write_jsonl(path: Path, *rows: object) -> Path:
    path.write_text(
        "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8"
    )
    return path


def read_jsonl(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
