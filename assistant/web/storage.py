"""What the browser keeps. A conversation goes to the browser as JSON and comes back with each event, checked.

Nothing here is shared between visitors, and nothing that comes from a browser is believed: what is not shaped
like a conversation is dropped.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from assistant.applications import Reply, Turn

# For the open conversation, and once more for all of them. localStorage holds 5.24 million characters, into which both
# have to go encrypted, a third longer; what is over is lost without a word. The rest is room for one more exchange.
MAX_STORED = 1_400_000
MAX_TITLE = 60

JSON: TypeAlias = Any  # what json.loads gives; the browser's word for it


@dataclass(frozen=True)
class Entry:
    """A turn as shown: with the whole reply behind it, and whether the person liked it."""

    turn: Turn
    reply: Reply | None = None
    liked: bool | None = None


@dataclass(frozen=True)
class Conversation:
    """The entries so far, in order. The title is the first message."""

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    entries: tuple[Entry, ...] = ()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns, as a request's history takes them."""
        return tuple(entry.turn for entry in self.entries)

    @property
    def pending(self) -> bool:
        """Whether the last message waits for its reply."""
        return bool(self.entries) and self.entries[-1].turn.role == "user"

    @property
    def full(self) -> bool:
        """Whether one more exchange might not fit into the browser's storage."""
        return len(json.dumps(to_json(self))) > MAX_STORED

    def title(self, untitled: str) -> str:
        """The first message on one line, shortened."""
        words = " ".join(self.entries[0].turn.text[:1000].split()) if self.entries else ""
        return (words[: MAX_TITLE - 1] + "…" if len(words) > MAX_TITLE else words) or untitled

    def said(self, message: str) -> Conversation:
        """With one more message."""
        return self._with(Entry(Turn("user", message)))

    def answered(self, reply: Reply) -> Conversation:
        """With this reply to the last message, in place of an earlier state of the same reply."""
        turn = Turn("assistant", reply.text, reply.route.application, reply.payload)
        kept = self.entries if self.pending else self.entries[:-1]
        return replace(self, entries=(*kept, Entry(turn, reply)))

    def liked(self, index: int, liked: bool | None) -> Conversation:
        """With the person's opinion on the reply at `index`."""
        entries = list(self.entries)
        if 0 <= index < len(entries):
            entries[index] = replace(entries[index], liked=liked)
        return replace(self, entries=tuple(entries))

    def before(self, index: int) -> tuple[Conversation, str]:
        """The conversation before the exchange that the entry at `index` is part of, and its message."""
        index = min(index, len(self.entries) - 1)
        while index > 0 and self.entries[index].turn.role != "user":
            index -= 1
        if index < 0:
            return self, ""
        return replace(self, entries=self.entries[:index]), self.entries[index].turn.text

    def _with(self, entry: Entry) -> Conversation:
        return replace(self, entries=(*self.entries, entry))


_ADAPTER = TypeAdapter(Conversation)


def to_json(conversation: Conversation) -> JSON:
    """The conversation as the browser keeps it."""
    return _ADAPTER.dump_python(conversation, mode="json")


def from_json(stored: JSON) -> Conversation:
    """The conversation that the browser sent; a new one where it is none."""
    try:
        return _ADAPTER.validate_python(stored)
    except ValidationError:
        return Conversation()


def is_current(stored: JSON, conversation: Conversation) -> bool:
    """Whether what the browser sent is a conversation, and this one."""
    return isinstance(stored, dict) and stored.get("id") == conversation.id


def remember(library: JSON, conversation: Conversation) -> list[JSON]:
    """The stored conversations with this one first, unless it is there as it is; the oldest give way.

    An empty conversation is not stored.
    """
    if to_json(conversation) in _stored(library):
        return _stored(library)
    kept = [to_json(conversation)] if conversation.entries else []
    kept += forget(library, conversation.id)
    room = MAX_STORED
    for count, stored in enumerate(kept):
        room -= len(json.dumps(stored))
        if room < 0:
            return kept[: max(count, 1)]
    return kept


def forget(library: JSON, id_: str) -> list[JSON]:
    """The stored conversations without this one."""
    return [stored for stored in _stored(library) if stored["id"] != id_]


def find(library: JSON, id_: str) -> Conversation:
    """The stored conversation with this id; a new one where there is none."""
    return next((from_json(stored) for stored in _stored(library) if stored["id"] == id_), Conversation())


def titles(library: JSON, untitled: str) -> list[tuple[str, str]]:
    """(title, id) of each stored conversation, the latest first."""
    conversations = [from_json(stored) for stored in _stored(library)]
    return [(conversation.title(untitled), conversation.id) for conversation in conversations]


def _stored(library: JSON) -> list[JSON]:
    if not isinstance(library, list):
        return []
    return [stored for stored in library if is_current(stored, from_json(stored))]
