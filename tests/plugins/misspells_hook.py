"""`register_application` instead of `register_applications`."""

from skill import Skill

from assistant import hookimpl


@hookimpl
def register_application():
    return [Skill()]
