"""The plugin onebase-language: which language a text is in, told by py3langid; Babel has the languages' names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from assistant import Application, InputError, Labels, LabelScore, ReplyPart, Request, Text, Vote, hookimpl

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

    from assistant.engine.base import Engine

# A text this long says all there is to know about its language. Characters.
ENOUGH = 5_000
SHOWN = 5
# Below this probability the best language is a guess.
SURE = 0.5
# The last letter of the Latin script's blocks that common languages use (Latin Extended-B).
LATIN_END = "\u024f"
# What py3langid calls "no language": numbers, code.
NO_LANGUAGE = "zxx"
SENTENCES = {
    "en": {"sure": "This is {name}.", "unsure": "I am not sure. It may be {name}."},
    "pt": {"sure": "Isto é {name}.", "unsure": "Não tenho certeza. Pode ser {name}."},
}


class LanguageIdentification(Application):
    """Tells 140 languages apart."""

    id = "language"
    title = "Language"
    description = "Says which of 140 languages a text is in."
    task = "text-classification"
    examples = (
        'Which language is this? "Guten Morgen, wie geht es Ihnen?"',
        "What language is this text in: Qual é o meu saldo?",
        "Detect the language: ¿Dónde está la biblioteca?",
        "Is this Spanish or Italian? 'Il gatto dorme sul divano.'",
        "language of: bonjour tout le monde",
        "Identify the language of the following text.\n\nDet var en gång en liten flicka som bodde i skogen.",
        'In what tongue is this written? "これは本です。"',
        'I got a message that I cannot read: "Dziękuję bardzo". What language is it?',
        'Que idioma é este? "Where is the station?"',
        "Em que língua está este texto: Wo ist der Bahnhof?",
        'Identifique o idioma: "Buenas noches a todos."',
    )
    cues = (
        "language",
        "which language",
        "what language",
        "tongue",
        "idioma",
        "língua",
        "que idioma",
        "que língua",
    )

    def answer(self, request: Request, engine: Engine) -> Iterator[ReplyPart]:
        """Say the language's name, then the most probable ones."""
        text = request.payload.text("text").strip() if request.payload else ""
        if not any(character.isalpha() for character in text):
            raise InputError(f"{self.title} needs a text; the message holds none.")
        ranked = self._identifier.rank(text[:ENOUGH])[:SHOWN]
        labels = Labels(
            tuple(LabelScore(_name(code, request.language), probability) for code, probability in ranked),
            SURE,
        )
        said = SENTENCES.get(request.language, SENTENCES["en"])
        yield Text(said["unsure" if labels.unsure else "sure"].format(name=labels.scores[0].label))
        yield labels

    @cached_property
    def _identifier(self) -> LanguageIdentifier:
        # Here and not above: reading the model takes seconds, and the start should not.
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _name(code: str, language: str) -> str:
    """The language's name in the language of the answer, or its code where Babel has none."""
    from babel import Locale

    if code == NO_LANGUAGE:
        return "no language" if language == "en" else "nenhuma língua"
    return Locale.parse(language if language in SENTENCES else "en").languages.get(code, code)


@hookimpl
def register_applications() -> list[Application]:
    """The one application."""
    return [LanguageIdentification()]


@hookimpl
def vote_route(request: Request) -> list[Vote]:
    """Speak for this application when a message is mostly in another script: nothing else here reads it."""
    letters = [character for character in request.message if character.isalpha()]
    foreign = sum(character > LATIN_END for character in letters)
    if 2 * foreign <= len(letters):
        return []
    return [Vote(LanguageIdentification.id, 0.6, "a text in another script than the Latin one")]
