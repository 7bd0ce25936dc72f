"""Raises in `answer`, after the first part, with the visitor's text in the message."""

from skill import Skill

from assistant import Text, hookimpl


class Raises(Skill):
    def answer(self, request, engine):
        yield Text("so far so good")
        raise ValueError(f"cannot work on {request.message}")


@hookimpl
def register_applications():
    return [Raises()]
