"""Waits in `review_message` until it is released."""

import threading

from skill import Skill

from assistant import hookimpl

calls = []
release = threading.Event()


@hookimpl
def register_applications():
    return [Skill()]


@hookimpl
def review_message(request):
    calls.append(request.message)
    release.wait()
