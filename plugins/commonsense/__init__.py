"""Common sense: the most plausible of several options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import assistant_prompts
from assistant import Application, InputError, Labels, LabelScore, ReplyPart, Request, Spans, Text, hookimpl
from assistant.engine.base import Choice
from assistant.evidence import leave_one_out
from assistant_plugins.commonsense.examples import CUES, EXAMPLES
from assistant_plugins.commonsense.questions import Asked, read_question
from assistant_plugins.commonsense.sentences import PROBLEMS, SAID, UNSURE

if TYPE_CHECKING:
    from assistant.applications import Task
    from assistant.engine.base import Engine

PROMPTS = Path(assistant_prompts.__path__[0])
MAX_OPTIONS = 20
# A probability of zero cannot be turned round.
LEAST = 1e-9


class CommonSense(Application):
    """Chooses the most plausible option; of statements also the one against common sense."""

    id = "commonsense"
    title = "Common sense"
    description = "Chooses the most plausible of several options: causes, effects, everyday questions."
    task: ClassVar[Task] = "multiple-choice"
    fields = ("question", "choices")
    adapter = Path(__file__).parent / "adapter"
    prompts = PROMPTS / "commonsense"
    examples = EXAMPLES
    cues = CUES

    def answer(self, request: Request, engine: Engine) -> Iterator[ReplyPart]:
        """Say the option, show the distribution, then the words that mattered. Raises InputError for a payload
        without a question or with options that leave no choice."""
        language = request.language if request.language in SAID else "en"
        asked, options = _read(request, language)
        (plausible,) = engine.choose([Choice(asked.text, options)], self.adapter)
        probabilities = _against(plausible) if asked.kind == "against" else plausible
        order = sorted(range(len(options)), key=lambda option: -probabilities[option])
        labels = Labels(
            tuple(LabelScore(options[option], probabilities[option]) for option in order),
            engine.adapter(self.adapter).threshold,
        )
        best, next_best = (options[option] for option in order[:2])
        said = UNSURE[language] if labels.unsure else SAID[language][asked.kind]
        yield Text(said.format(best=_bare(best), next=_bare(next_best)))
        yield labels
        yield self.evidence(asked, best, next_best, engine)

    def evidence(self, asked: Asked, best: str, next_best: str, engine: Engine) -> Spans:
        """The words for which `best` was preferred to the option next to it (a contrast: Jacovi et al. 2021,
        "Contrastive Explanations for Model Interpretability", arXiv 2103.01378).

        They are looked for in the question or, where it only asks which statement makes sense, in the chosen
        statement. Only two options are read again, so that the cost does not grow with their number.
        """
        of_statement = asked.kind in ("sense", "against")
        text = best if of_statement else asked.focus

        def preferred(variants: Sequence[str]) -> list[float]:
            choices = [
                Choice(asked.text, (variant, next_best))
                if of_statement
                else Choice(asked.with_focus(variant), (best, next_best))
                for variant in variants
            ]
            results = engine.choose(choices, self.adapter)
            return [(_against(result) if asked.kind == "against" else result)[0] for result in results]

        (whole,) = preferred([text])
        return Spans(
            text, leave_one_out(text, best, whole, preferred), title="choice" if of_statement else "question"
        )


def _read(request: Request, language: str) -> tuple[Asked, tuple[str, ...]]:
    """The question and its options, at least two and all different. Raises InputError."""
    problems, payload = PROBLEMS[language], request.payload
    given = payload.fields.get("choices", ()) if payload else ()
    lines = given.splitlines() if isinstance(given, str) else given
    options = tuple(option.strip() for option in lines if option.strip())
    # The context of a row of data; in a message it is part of the question.
    parts = (payload.text("context").strip(), payload.text("question").strip()) if payload else ()
    question = "\n".join(part for part in parts if part)
    if not options:
        raise InputError(problems["nothing"])
    if not any(character.isalnum() for character in question):
        raise InputError(problems["no_question"])
    if len(options) == 1:
        raise InputError(problems["one_option"].format(option=options[0]))
    if len(options) > MAX_OPTIONS:
        raise InputError(problems["too_many"].format(count=len(options), limit=MAX_OPTIONS))
    seen: set[str] = set()
    for option in options:
        if _bare(option).casefold() in seen:
            raise InputError(problems["twice"].format(option=option))
        seen.add(_bare(option).casefold())
    return read_question(question), options


def _against(plausible: Sequence[float]) -> tuple[float, ...]:
    """The distribution over which option is the implausible one: the scores' signs turned round, so that each
    probability becomes its inverse. Of two options the probabilities change places."""
    inverse = [1.0 / max(probability, LEAST) for probability in plausible]
    return tuple(value / sum(inverse) for value in inverse)


def _bare(option: str) -> str:
    """The option as part of a sentence: on one line, without its full stop."""
    return " ".join(option.split()).rstrip(".") or option


@hookimpl
def register_applications() -> list[Application]:
    """The one application."""
    return [CommonSense()]
