"""Waits in `vote_route` until it is released."""

import threading

from skill import Skill

from assistant import hookimpl

calls = []
release = threading.Event()


@hookimpl
def register_applications():
    return [Skill()]


@hookimpl
def vote_route(request):
    calls.append(request.message)
    release.wait()
