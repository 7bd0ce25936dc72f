"""An application that is right in every respect; the fake plugins beside this file each spoil one thing."""

from collections.abc import Iterator

from assistant import Application, ReplyPart, Request, Text
from assistant.engine.base import Engine


class Skill(Application):
    id = "skill"
    title = "Skill"
    description = "Says the text again."
    task = "text-classification"
    examples = ("Say it again",)

    def answer(self, request: Request, engine: Engine) -> Iterator[ReplyPart]:
        yield Text(request.payload.text("text") if request.payload else request.message)
