"""A text where a notice is expected."""

from skill import Skill

from assistant import hookimpl


@hookimpl
def register_applications():
    return [Skill()]


@hookimpl
def review_message():
    return "Take care!"
