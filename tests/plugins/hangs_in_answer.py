"""Waits in `answer`, after the first part, until it is released."""

import threading

from skill import Skill

from assistant import Text, hookimpl

release = threading.Event()


class Hangs(Skill):
    def answer(self, request, engine):
        yield Text("so far so good")
        release.wait()
        yield Text("at last")


@hookimpl
def register_applications():
    return [Hangs()]
