"""The adapter's folder was never made; that is for the answer to say."""

from pathlib import Path

from skill import Skill

from assistant import hookimpl


class Unfinished(Skill):
    id = "unfinished"
    adapter = Path("no/such/folder")

    def answer(self, request, engine):
        engine.classify([request.message], self.adapter)
        yield from super().answer(request, engine)


@hookimpl
def register_applications():
    return [Unfinished()]
