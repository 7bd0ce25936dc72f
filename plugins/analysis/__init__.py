"""Analysis: sentiment, bullying and mistakes of a text at once, from one forward pass through an adapter with three
heads.

A text of one sentence is read once. Of a longer one sentiment and bullying are those of the whole text, and each
sentence is read for mistakes, in the same batch.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from assistant_plugins.cyberbullying import Cyberbullying
from assistant_plugins.error_detection import SENTENCES_AT_ONCE, ErrorDetection
from assistant_plugins.error_detection.corrections import corrections
from assistant_plugins.error_detection.edits import Edit, shifted
from assistant_plugins.sentiment import Sentiment

from assistant import (
    Application,
    InputError,
    Labels,
    LabelScore,
    Progress,
    ReplyPart,
    Request,
    Text,
    TextClassification,
    hookimpl,
    split_sentences,
)

if TYPE_CHECKING:
    from assistant.engine.base import Classification, Engine

# What each head that classifies says, in whose words; and the head that finds mistakes.
SPEAKERS: Mapping[str, TextClassification] = {"sentiment": Sentiment(), "cyberbullying": Cyberbullying()}
ERRORS = "error-detection"


class Analysis(Application):
    """Says how a text sounds, whether it bullies, and what is wrong with its English."""

    id = "analyze"
    title = "Analyze"
    description = "Says all at once about a text: its sentiment, whether it is bullying, and its mistakes."
    task = "text-classification"
    adapter = Path(__file__).parent / "adapter"
    requires = frozenset({"multitask"})
    shortcut = True
    examples = (
        "Analyze this text: The staff was rude and the rooms was dirty.",
        "Give me a full analysis of this message: you is the worst player ever, go home",
        "Run every check on this: I has never seen a better film.",
        "Tell me everything about this comment: Nobody like you, so leave.",
        "Full analysis, please.\n\nThe delivery were late, but the support helped me quick.",
        "What can you find out about this text? “Their phone broke after two day.”",
        "Do a complete check of my post: I loves this town, even in the rain.",
        "analyse it all: ur team are a joke and everybody knows",
        "Look at this from every side: We waits an hour and the soup was cold.",
        "Check tone, insults and grammar at once: this are a waste of money",
        "Mood, bullying and mistakes in one go: He don't deserve a medal.",
        "All checks on this review: It do what it promise and looks great.",
        "Faça uma análise completa: The food were great but the waiter was rude.",
        "Analise este texto por inteiro: Nobody want you here.",
        "Verifique tudo de uma vez: I are very happy with it.",
    )
    cues = (
        "analyze this text",
        "analyze this message",
        "analyse this text",
        "analyse this message",
        "analyse it all",
        "full analysis",
        "complete analysis",
        "complete check",
        "every check",
        "all checks",
        "from every side",
        "everything about this",
        "all at once",
        "at once",
        "in one go",
        "análise completa",
        "por inteiro",
        "de uma vez",
    )

    def answer(self, request: Request, engine: "Engine") -> Iterator[ReplyPart]:
        """The sentiment, then the kind of bullying, if any, each with its probabilities; then the mistakes and the
        corrected text."""
        text = request.payload.text("text").strip() if request.payload else ""
        if not text:
            raise InputError(f"{self.title} needs a text; the message holds none.")
        stretches = split_sentences(text)
        # One sentence is the whole text, so a row of its own would be the same again.
        several = len(stretches) > 1
        threshold = engine.adapter(self.adapter / ERRORS).threshold
        edits: list[Edit] = []
        for first in range(0, max(1, len(stretches)), SENTENCES_AT_ONCE):
            if len(stretches) > SENTENCES_AT_ONCE:
                yield Progress(first, len(stretches), ErrorDetection.said(request.language)["reading"])
            group = stretches[first : first + SENTENCES_AT_ONCE] if several else [(0, len(text))]
            whole = [text] if several and not first else []
            answers = engine.multitask([*whole, *(text[start:end] for start, end in group)], self.adapter)
            if not first:
                for head, speaker in SPEAKERS.items():
                    yield from self.labels(head, speaker, answers[0][head], request.language, engine)
            for (start, end), answer in zip(group, answers[len(whole) :], strict=True):
                found = corrections(text[start:end], answer[ERRORS], threshold)
                edits += [shifted(edit, start) for edit in found]
        yield from ErrorDetection.shown(text, edits, request.language)

    def labels(
        self,
        head: str,
        speaker: TextClassification,
        answer: "Classification",
        language: str,
        engine: "Engine",
    ) -> Iterator[ReplyPart]:
        """A head's sentence, "not sure" below its own threshold, and its probabilities."""
        threshold = engine.adapter(self.adapter / head).threshold
        labels = Labels(tuple(LabelScore(*pair) for pair in answer.ranked()), threshold)
        yield Text(speaker.say(labels, language))
        yield labels


@hookimpl
def register_applications() -> list[Application]:
    """The one application."""
    return [Analysis()]
