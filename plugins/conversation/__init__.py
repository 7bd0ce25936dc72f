"""Conversation: the base model's own answer, where the base is one that writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from assistant import Application, InputError, Notice, ReplyPart, Request, Text, hookimpl
from assistant.engine.base import Message

if TYPE_CHECKING:
    from assistant.engine.base import Engine

# An answer ends here at the latest. Tokens; each of them may be a part of the growing reply.
MAX_TOKENS = 512


class Conversation(Application):
    """Answers freely. It has no examples: a message comes here when no other application is meant."""

    id = "conversation"
    title = "Conversation"
    description = "Talks about anything, with what the base model knows; it may be wrong."
    task = "text-generation"
    requires = frozenset({"generate"})
    wording: ClassVar[dict[str, dict[str, str]]] = {
        "en": {
            "nothing": "The message holds nothing to answer.",
            "silent": "The model has nothing to say about this.",
            "cut": "The conversation is longer than the model can read: I left out the first {count} messages.",
            "long": "The answer was cut at {count} tokens.",
        },
        "pt": {
            "nothing": "A mensagem não tem nada a responder.",
            "silent": "O modelo não tem nada a dizer sobre isto.",
            "cut": "A conversa é longa demais para o modelo: deixei de fora as {count} primeiras mensagens.",
            "long": "A resposta foi cortada em {count} tokens.",
        },
    }

    def answer(self, request: Request, engine: Engine) -> Iterator[ReplyPart]:
        """The growing answer, then the whole one; a notice where the conversation or the answer was cut."""
        said = self.wording.get(request.language, self.wording["en"])
        message = re.sub(rf"\A\s*/{self.id}\b\s*", "", request.message, flags=re.IGNORECASE)
        if not message.strip():
            raise InputError(said["nothing"])
        messages = [Message(turn.role, turn.text) for turn in request.history if turn.text.strip()]
        messages.append(Message("user", message))
        read = engine.latest(messages, MAX_TOKENS)
        text, count = "", 0
        for piece in engine.generate(read, max_tokens=MAX_TOKENS):
            text, count = text + piece, count + 1
            yield Text(text, growing=True)
        yield Text(text.strip() or said["silent"])
        if len(read) < len(messages):
            yield Notice(said["cut"].format(count=len(messages) - len(read)), "history")
        if count >= MAX_TOKENS:
            yield Notice(said["long"].format(count=MAX_TOKENS), "length")


@hookimpl
def register_applications() -> list[Application]:
    """The one application."""
    return [Conversation()]
