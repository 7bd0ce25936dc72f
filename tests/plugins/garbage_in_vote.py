"""A score beyond 1."""

from skill import Skill

from assistant import Vote, hookimpl


@hookimpl
def register_applications():
    return [Skill()]


@hookimpl
def vote_route():
    return [Vote("skill", 0.5), Vote("skill", 100)]
