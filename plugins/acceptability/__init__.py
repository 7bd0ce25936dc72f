"""Acceptability: whether a sentence is one that a speaker of English would say.

It judges the sentence as a whole, where error detection names single mistakes. It answers when it is chosen, and error
detection shows its scores: messages that ask about a sentence's English belong there.
"""

from pathlib import Path
from typing import ClassVar

import assistant_prompts

from assistant import TextClassification, hookimpl


class Acceptability(TextClassification):
    """Says whether a sentence is acceptable English (CoLA: Warstadt, Singh & Bowman 2019, arXiv 1805.12471)."""

    id = "acceptability"
    title = "Acceptability"
    description = "Says whether a sentence, taken as a whole, is acceptable English."
    adapter = Path(__file__).parent / "adapter"
    prompts = Path(assistant_prompts.__path__[0]) / "acceptability"
    sentences: ClassVar = {
        "en": {
            "acceptable": "This is acceptable English.",
            "unacceptable": "A speaker of English would hardly say it like this.",
        },
        "pt": {
            "acceptable": "Isto é inglês aceitável.",
            "unacceptable": "Um falante de inglês dificilmente diria assim.",
        },
    }


@hookimpl
def register_applications() -> list[TextClassification]:
    """The one application."""
    return [Acceptability()]
