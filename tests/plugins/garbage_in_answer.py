"""Yields what the message names."""

from skill import Skill

from assistant import Labels, LabelScore, Text, hookimpl

GARBAGE = {
    "text": "a text",
    "none": None,
    "dict": {"text": "a text"},
    "number in a text": Text(5),
    "label without probability": Labels((LabelScore("yes", None),)),
    "not a number": Labels((LabelScore("yes", float("nan")),)),
}


class Garbage(Skill):
    def answer(self, request, engine):
        if request.message == "no iterator":
            return 5
        return iter([Text("so far so good"), GARBAGE[request.message]])


@hookimpl
def register_applications():
    return [Garbage()]
