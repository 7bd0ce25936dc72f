"""A classification application in fifteen lines: subclass, name the adapter, done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from assistant.applications import Application, Labels, LabelScore, ReplyPart, Request, Spans, Task, Text
from assistant.engine.base import Engine, text_or_pair
from assistant.errors import InputError
from assistant.evidence import leave_one_out


class TextClassification(Application):
    """Classifies one text, or a pair of texts when `fields` has two names.

    `sentences` maps language and label to the sentence that is said ("This sounds positive."); `unsure` is said
    below the adapter's abstention threshold.
    """

    task: ClassVar[Task] = "text-classification"
    sentences: ClassVar[dict[str, dict[str, str]]] = {}
    unsure: ClassVar[dict[str, str]] = {
        "en": "I am not sure. My best guess is “{label}”, but the alternatives below are close.",
        "pt": "Não tenho certeza. Meu melhor palpite é “{label}”, mas as alternativas abaixo estão próximas.",
    }

    def answer(self, request: Request, engine: Engine) -> Iterator[ReplyPart]:
        """Say the label, show the distribution, then the words that mattered."""
        texts = self.read(request)
        if self.adapter is None:
            raise InputError(f"{self.title} has no adapter for this base.")
        info = engine.adapter(self.adapter)
        (result,) = engine.classify([text_or_pair(texts)], self.adapter)
        labels = Labels(tuple(LabelScore(*pair) for pair in result.ranked()), info.threshold)
        yield Text(self.say(labels, request.language))
        yield labels
        yield from self.evidence(texts, labels.scores[0], engine)

    def read(self, request: Request) -> list[str]:
        """The payload's texts in the order of `fields`. Raises InputError when one is missing."""
        texts = [request.payload.text(name).strip() if request.payload else "" for name in self.fields]
        missing = [name for name, text in zip(self.fields, texts, strict=True) if not text]
        if missing:
            raise InputError(f"{self.title} needs a {' and a '.join(missing)}; the message holds none.")
        return texts

    def say(self, labels: Labels, language: str) -> str:
        """The sentence for the best label, or the one for "not sure"."""
        best = labels.scores[0].label
        if labels.unsure:
            return self.unsure.get(language, self.unsure["en"]).format(label=best.replace("_", " "))
        said = self.sentences.get(language) or self.sentences.get("en", {})
        return said.get(best, best.replace("_", " ").capitalize() + ".")

    def evidence(self, texts: Sequence[str], best: LabelScore, engine: Engine) -> Iterator[Spans]:
        """Leave-one-out spans for each field."""
        adapter = self.adapter
        if adapter is None:
            return
        for position, text in enumerate(texts):

            def without(shortened: Sequence[str], position: int = position) -> list[float]:
                inputs = [
                    text_or_pair([*texts[:position], short, *texts[position + 1 :]]) for short in shortened
                ]
                results = engine.classify(inputs, adapter)
                return [r.probabilities[r.labels.index(best.label)] for r in results]

            spans = leave_one_out(text, best.label, best.probability, without)
            yield Spans(text, spans, title=self.fields[position])
