"""A plugin as it should be, with every hook, and a record of how its generator ended."""

from skill import Skill

from assistant import InputError, Labels, LabelScore, Notice, Text, Vote, hookimpl

ended = []


class Good(Skill):
    id = "good"

    def answer(self, request, engine):
        if request.message == "refuse":
            raise InputError("This cannot be worked on.")
        try:
            yield Text(request.message)
            yield Labels((LabelScore("yes", 0.75), LabelScore("no", 0.25)), threshold=0.5)
            yield Text("the end")
        except GeneratorExit:
            ended.append("closed")
            raise
        ended.append("finished")


@hookimpl
def register_applications():
    yield Good()


@hookimpl
def vote_route(request):
    return [Vote("good", 0.5, "it is good"), Vote("not-installed", 1.0)]


@hookimpl
def review_message(request):
    return Notice("Seen.", kind="seen") if "look" in request.message else None
