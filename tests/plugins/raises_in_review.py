"""Raises in `review_message`."""

from skill import Skill

from assistant import hookimpl


@hookimpl
def register_applications():
    return [Skill()]


@hookimpl
def review_message(request):
    raise KeyError(request.message)
