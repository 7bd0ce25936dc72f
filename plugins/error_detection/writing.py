"""Correction by a base that writes instead of tagging: it repeats the sentence without mistakes, and what differs is
the correction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from assistant_plugins.error_detection.edits import PUNCTUATION, WORD_CHOICE, Edit

from assistant.engine.base import Engine
from assistant.prompts import Prompt

# A correction keeps most of its sentence; what shares less with it is an answer to something else.
LEAST_SHARED = 0.5
_PIECE = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]|\s+")


def rewritten(sentence: str, prompt: Prompt, engine: Engine) -> str:
    """The sentence as the base writes it anew: one line, at most about twice as long."""
    written, most = "", 16 + len(sentence)
    asked = engine.rendered(prompt, {"text": sentence}, most)
    for piece in engine.generate(asked.text, max_tokens=most):
        written += piece
        # Everything from the line's end on is the next example, and nobody asks for it.
        if "\n" in written.lstrip() or len(written) > 2 * len(sentence) + 40:
            break
    # What the base could not read stays as it is.
    return written.strip().partition("\n")[0].strip() + sentence[len(asked.fields["text"]) :]


def differences(sentence: str, written: str) -> Iterator[Edit]:
    """What turns the sentence into what was written, word by word; nothing where the two have too little in common."""
    before, after = _PIECE.findall(sentence), _PIECE.findall(written)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < LEAST_SHARED:
        return
    starts = [0]
    for piece in before:
        starts.append(starts[-1] + len(piece))
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            replacement = "".join(after[c:d])
            changed = sentence[starts[a] : starts[b]] + replacement
            words = any(character.isalnum() for character in changed)
            yield Edit(starts[a], starts[b], WORD_CHOICE if words else PUNCTUATION, replacement)
