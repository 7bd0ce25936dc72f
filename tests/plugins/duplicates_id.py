"""The id is the one of `well_behaved`."""

from skill import Skill

from assistant import hookimpl


class Duplicate(Skill):
    id = "good"


class Innocent(Skill):
    id = "innocent"


@hookimpl
def register_applications():
    return [Innocent(), Duplicate()]
