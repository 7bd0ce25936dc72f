"""An answer, and votes, without an end."""

from itertools import repeat

from skill import Skill

from assistant import Text, Vote, hookimpl


class Endless(Skill):
    def answer(self, request, engine):
        yield from repeat(Text("and"))


@hookimpl
def register_applications():
    return [Endless()]


@hookimpl
def vote_route():
    return repeat(Vote("skill", 0.5))
