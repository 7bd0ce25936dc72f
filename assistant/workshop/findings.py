"""What the check of a data set finds, in sentences: English and Portuguese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "left_out", "torn", "repeated", "leaked", "few", "unbalanced", "rough", "unmeasured", "long"
]
# By language; two forms are for a `count` of one and for any other.
SENTENCES: Mapping[str, Mapping[Kind, str | tuple[str, str]]] = {
    "en": {
        "left_out": (
            "1 row of {name} left out. {reason}",
            "{count} rows of {name} left out. {reason}",
        ),
        "torn": (
            "1 text of {name} with more than one label left out, such as “{text}” ({labels}).",
            "{count} texts of {name} with more than one label left out, such as “{text}” ({labels}).",
        ),
        "repeated": (
            "1 row of {name} left out that repeats another row.",
            "{count} rows of {name} left out that repeat another row.",
        ),
        "leaked": (
            "1 row left out of train that is in dev too.",
            "{count} rows left out of train that are in dev too.",
        ),
        "few": "Few rows to learn from: {labels}; {enough} or more of each label would help.",
        "unbalanced": "Of '{most}' there are {largest} rows, of '{least}' {smallest}: look at macro-F1.",
        "rough": (
            "Only 1 row to measure on: what the figures say is rough.",
            "Only {count} rows to measure on: what the figures say is rough.",
        ),
        "unmeasured": "No dev row to measure on: {labels}.",
        "long": (
            "1 text is longer than {tokens} tokens; what comes after is not read.",
            "{count} texts are longer than {tokens} tokens; what comes after is not read.",
        ),
    },
    "pt": {
        # The reason is an English sentence; the row's number says enough.
        "left_out": (
            "1 linha de {name} ficou de fora, sem texto ou sem rótulo que se possa ler: a linha {row}.",
            "{count} linhas de {name} ficaram de fora, sem texto ou sem rótulo que se possa ler; a primeira é a {row}.",
        ),
        "torn": (
            "1 texto de {name} com mais de um rótulo ficou de fora: “{text}” ({labels}).",
            "{count} textos de {name} com mais de um rótulo ficaram de fora, como “{text}” ({labels}).",
        ),
        "repeated": (
            "1 linha de {name} ficou de fora porque repete outra.",
            "{count} linhas de {name} ficaram de fora porque repetem outras.",
        ),
        "leaked": (
            "1 linha ficou de fora do treino porque também está entre as de avaliação.",
            "{count} linhas ficaram de fora do treino porque também estão entre as de avaliação.",
        ),
        "few": "Poucas linhas com que aprender: {labels}; {enough} ou mais de cada rótulo ajudariam.",
        "unbalanced": "De '{most}' há {largest} linhas, de '{least}' {smallest}: olhe para a macro-F1.",
        "rough": (
            "Só 1 linha com que avaliar: os números são aproximados.",
            "Só {count} linhas com que avaliar: os números são aproximados.",
        ),
        "unmeasured": "Nenhuma linha com que avaliar: {labels}.",
        "long": (
            "1 texto tem mais de {tokens} tokens; o que vem depois não é lido.",
            "{count} textos têm mais de {tokens} tokens; o que vem depois não é lido.",
        ),
    },
}


@dataclass(frozen=True)
class Finding:
    """One thing that was mended, or that a person should know of; `values` fill in its sentence."""

    kind: Kind
    values: Mapping[str, str | int]

    def __str__(self) -> str:
        return self.said("en")

    def said(self, language: str) -> str:
        """The sentence in the language ("pt" and "pt-BR" alike), or in English where there is none in it."""
        code = language.partition("-")[0].lower()
        code = code if code in SENTENCES else "en"
        sentence = SENTENCES[code][self.kind]
        if isinstance(sentence, tuple):
            sentence = sentence[self.values["count"] != 1]
        return sentence.format(**{name: _shown(value, code) for name, value in self.values.items()})


def _shown(value: str | int, code: str) -> str:
    """A number as the language writes it."""
    if isinstance(value, str):
        return value
    return f"{value:,}".replace(",", "." if code == "pt" else ",")
