"""What is counted, for Prometheus: which applications answered, how that ended and how long it took.

No label holds anything that a visitor wrote.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from assistant.applications import Labels, Reply
from assistant.core import Assistant

# limited: told to wait. stopped: given up by the visitor. asked back: no application was clearly meant.
# refused: the message could not be worked on. failed: that was not the message's fault.
Outcome: TypeAlias = Literal["answered", "unsure", "asked_back", "refused", "failed", "stopped", "limited"]

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# In place of an application's id: where none answered, and for all skills that visitors have taught and named.
NONE, TAUGHT = "none", "taught"


class Metrics:
    """The counts of one served assistant. May be used from any thread."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._registry = CollectorRegistry()
        self._replies = Counter(
            "onebase_replies",
            "Replies by application and by how they ended.",
            ("application", "outcome"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "onebase_reply_seconds",
            "Seconds from a message's arrival to the end of the reply, of replies that were not stopped.",
            ("application",),
            buckets=SECONDS,
            registry=self._registry,
        )

    def count(self, reply: Reply | None, outcome: Outcome | None = None) -> None:
        """Count the latest state of a reply; `outcome`, where the reply itself does not tell."""
        application = (reply.route.application if reply else None) or NONE
        if application != NONE and application not in self._assistant.applications:
            application = TAUGHT
        self._replies.labels(application, outcome or (outcome_of(reply) if reply else "failed")).inc()
        if reply and reply.done:
            self._seconds.labels(application).observe(reply.milliseconds / 1000)

    def page(self) -> bytes:
        """The counts in Prometheus's text format (`CONTENT_TYPE`)."""
        return generate_latest(self._registry)


def outcome_of(reply: Reply) -> Outcome:
    """How a reply that is `done` ended; one that is not was stopped."""
    if not reply.done:
        return "stopped"
    if reply.failed:
        return "refused" if reply.refused else "failed"
    if reply.route.application is None:
        return "asked_back"
    return "unsure" if any(part.unsure for part in reply.parts if isinstance(part, Labels)) else "answered"
