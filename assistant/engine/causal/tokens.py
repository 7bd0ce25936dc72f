"""Texts as token ids, so that no text can act as a control token.

A tokenizer finds its added tokens (`<|im_end|>`, `<think>`, `</s>`) in any text, and a model takes them for the end
of a turn. What people and documents say is therefore cut within each of them and encoded piece by piece: the ids
still spell the same text.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from assistant.engine.base import Message, well_formed
from assistant.errors import UnsupportedTask


class Tokens:
    """A base's tokenizer. Safe to share by threads."""

    def __init__(self, tokenizer: Any, name: str) -> None:
        self.name = name
        self._chat = tokenizer
        self._tokenizer: Tokenizer = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        added = self._tokenizer.get_added_tokens_decoder()
        self._control = frozenset(id_ for id_, token in added.items() if len(token.content) > 1)
        special = {id_ for id_, token in added.items() if token.special}
        # A model that writes one of these has ended its text.
        self.ends = frozenset(special | ({tokenizer.eos_token_id} - {None}))
        first = tokenizer("").input_ids[:1]
        # What every text starts with, if this base has it so.
        self.start: list[int] = first if first == [tokenizer.bos_token_id] else []
        # Of a prompt's shared part, which is long and the same for every row.
        self.shared = lru_cache(maxsize=64)(lambda text: (*self.start, *self.encode(text)))

    def encode(self, text: str) -> list[int]:
        """The ids of a text; none of them is a control token."""
        ids: list[int] = []
        pieces = [well_formed(text)]
        while pieces:
            piece = pieces.pop()
            encoding = self._tokenizer.encode(piece, add_special_tokens=False)
            cuts = [
                start + 1
                for id_, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)
                if id_ in self._control and end - start > 1
            ]
            if cuts:
                ends = [*cuts, len(piece)]
                pieces += reversed([piece[a:b] for a, b in zip([0, *cuts], ends, strict=True)])
            else:
                ids += encoding.ids
        return ids

    def continuation(self, before: str, text: str) -> list[int]:
        """The ids of `text` as it goes on after `before`: a tokenizer may join a word with the space in front of it."""
        return self.encode(before + text)[len(self.encode(before)) :]

    def whole(self, text: str) -> list[int]:
        """The ids of a whole prompt: what every text starts with, then the text; never empty."""
        return [*self.start, *self.encode(text)] or sorted(self.ends)[:1]

    def chat(self, messages: Sequence[Message]) -> list[int]:
        """The ids of a conversation in the model's own chat template, up to where the assistant answers.

        The template is rendered with marks in the place of the texts, which are then encoded apart. Raises
        UnsupportedTask for a model without a template, or with one that has no place for a text.
        """
        if not getattr(self._chat, "chat_template", None):
            raise UnsupportedTask(
                f"The base {self.name!r} has no chat template, so it cannot hold a conversation."
            )
        marks = [secrets.token_hex(16) for _ in messages]
        rest = self._chat.apply_chat_template(
            [{"role": message.role, "content": mark} for message, mark in zip(messages, marks, strict=True)],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
        )
        ids: list[int] = []
        for message, mark in zip(messages, marks, strict=True):
            before, found, rest = rest.partition(mark)
            if not found:
                raise UnsupportedTask(
                    f"The chat template of {self.name!r} leaves out a {message.role}'s text."
                )
            ids += self._tokenizer.encode(before, add_special_tokens=False).ids
            ids += self.encode(message.text.strip())
        return ids + self._tokenizer.encode(rest, add_special_tokens=False).ids

    def shown(self, ids: Sequence[int]) -> str:
        """The text that ids stand for, control tokens included."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))

    def stream(self) -> Stream:
        """A decoder that is fed token by token."""
        return Stream(self._tokenizer)


class Stream:
    """Text from one token after the other: a character that takes several tokens comes with its last one."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = DecodeStream(skip_special_tokens=True)

    def feed(self, token: int) -> str:
        """The text that this token completes, often none."""
        return self._decoder.step(self._tokenizer, token) or ""
