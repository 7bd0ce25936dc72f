"""The built-in applications, and one application for each other shape of fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from assistant.applications import Application, ReplyPart, Request, Task
from assistant.engine.base import Engine
from assistant_plugins.cyberbullying import Cyberbullying
from assistant_plugins.nli import NaturalLanguageInference as Nli
from assistant_plugins.sentiment import Sentiment


class _Silent(Application):
    description: ClassVar[str] = ""
    task: ClassVar[Task] = "text-classification"

    def answer(self, request: Request, engine: Engine) -> Iterator[ReplyPart]:
        yield from ()


class Answers(_Silent):
    id = "answers"
    title = "Answers"
    fields = ("context", "question")
    examples = ("Context: It is red. Question: What colour is it?", "Who signed it?")
    cues = ("according to",)


class Choices(_Silent):
    id = "choices"
    title = "Choices"
    fields = ("question", "choices")
    examples = ("Where do fish live? A) water B) trees",)


class Summary(_Silent):
    id = "summary"
    title = "Summary"
    examples = (
        "Summarize this text: The council met.",
        "tl;dr The report is long.",
        "Summarise the document in short",
    )
    cues = ("summarize", "summarise", "summary", "tl;dr", "key points", "resuma")


class Mistakes(_Silent):
    id = "mistakes"
    title = "Mistakes"
    examples = (
        "Check this for mistakes: he go home",
        "Is the grammar right? 'She are here.'",
        "Correct my spelling: teh",
    )
    cues = ("mistakes", "grammar", "spelling", "correct", "errors", "proofread", "corrija")


BUILT_IN = {each.id: each for each in (Sentiment(), Nli(), Cyberbullying())}
