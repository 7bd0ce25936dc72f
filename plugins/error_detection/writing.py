"""Correction by a base that writes instead of tagging: it repeats the sentence without mistakes, and what differs is
the correction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from assistant_plugins.error_detection.edits import PUNCTUATION, WORD_CHOICE, Edit

from assistant.engine.base import Engine
from assistant.prompts import Prompt

# Worked examples in the prompt.
SHOTS = 4
# A correction keeps most of its sentence; what shares less with it is an answer to something else.
LEAST_SHARED = 0.5
_PIECE = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]|\s+")


def rewritten(sentence: str, prompt: Prompt, engine: Engine) -> str:
    """The sentence as the base writes it anew: one line, at most about twice as long."""
    written = ""
    pieces = engine.generate(prompt.render({"text": sentence}, SHOTS), max_tokens=16 + len(sentence))
    for piece in pieces:
        written += piece
        # Everything from the line's end on is the next example, and nobody asks for it.
        if "\n" in written.lstrip() or len(written) > 2 * len(sentence) + 40:
            break
    return written.strip().partition("\n")[0].strip()


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
