"""The right name, but not marked as a hook implementation."""

from skill import Skill


def register_applications():
    return [Skill()]
