"""Applications that show each part of a reply on the page, and a router that does as it is told."""

import re
import threading
from collections.abc import Sequence

from assistant import (
    Application,
    Citation,
    Labels,
    LabelScore,
    Notice,
    Payload,
    Request,
    Route,
    Span,
    Spans,
    Table,
    Text,
    TextClassification,
    Vote,
    hookimpl,
)


class Mood(TextClassification):
    id, title, description = "mood", "Mood", "Tells the mood of a text."
    examples = ("/mood what a day", "/mood so it goes")
    shortcut = True


class Everything(Application):
    """Answers with every kind of part, and repeats the text in each."""

    id, title, description, task = (
        "everything",
        "Everything",
        "Shows each part of a reply.",
        "text-generation",
    )

    def answer(self, request, engine):
        text = request.payload.text("text")
        yield Text(text)
        yield Labels((LabelScore(text, 0.4), LabelScore("another", 0.35)), threshold=0.5)
        yield Spans(text, (Span(0, 3, text, 0.5), Span(4, 8, text, -0.5)), title=text)
        yield Spans("He go home", (Span(3, 5, "verb", replacement=text),))
        yield Table((text, "b"), ((text, "1"),))
        for document in request.documents:
            yield Citation(document.name, 1, document.pages[0])
        yield Text(f"Copy: {text}", copyable=True)


class Slow(Application):
    """Says a word at a time until it is stopped."""

    id, title, description, task = "slow", "Slow", "Takes its time.", "text-generation"
    stopped = threading.Event()
    go_on = threading.Event()

    def answer(self, request, engine):
        self.stopped.clear()
        try:
            for number in range(200):
                yield Text(f"word {number}")
                self.go_on.wait(0.1)
        finally:
            self.stopped.set()


class Plugin:
    """The applications above, as the plugin that brings them."""

    @staticmethod
    @hookimpl
    def register_applications():
        return [Mood(), Everything(), Slow()]

    @staticmethod
    @hookimpl
    def review_message(request):
        return Notice("Mind your words.") if "idiot" in request.message else None


class CommandRouter:
    """Follows the command or the pin, and asks back about anything else."""

    def route(self, request: Request, votes: Sequence[Vote]) -> tuple[Route, Payload | None]:
        if command := re.match(r"/(\w+)\s*(.*)", request.message, re.S):
            return Route(command[1], 1.0, "its command was used", (("slow", 0.2),)), Payload(
                {"text": command[2]}
            )
        if request.application:
            return Route(request.application, 1.0, "it was chosen"), Payload({"text": request.message})
        return Route(None, 0.4, "two came close", (("mood", 0.4), ("everything", 0.35))), None
