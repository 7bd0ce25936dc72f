"""Raises in `register_applications`."""

from assistant import hookimpl


@hookimpl
def register_applications():
    raise KeyError("no such skill")
