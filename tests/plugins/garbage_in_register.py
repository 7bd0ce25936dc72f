"""Registers a class instead of an application."""

from skill import Skill

from assistant import hookimpl


@hookimpl
def register_applications():
    return [Skill]
