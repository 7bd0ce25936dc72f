"""Raises in `vote_route`."""

from skill import Skill

from assistant import hookimpl


@hookimpl
def register_applications():
    return [Skill()]


@hookimpl
def vote_route(request):
    raise KeyError(request.message)
