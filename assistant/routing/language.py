"""A small guess at a message's language: English or Portuguese, by function words and letters."""

from __future__ import annotations

import re
from typing import Literal

_WORD = re.compile(r"[^\W\d_]+")
_PORTUGUESE = frozenset(
    "que não nao é está isso isto este esta estas estes esse essa você voce vc qual quais como para pra por favor com "
    "uma um o os as do da dos das no na nos nas ao à em de se meu minha meus mais muito são foi ser tem há ou eu ele ela "
    "me diga frase texto comentário avaliação mensagem olá oi obrigado obrigada bom boa dia tudo bem pfv quem quanto "
    "então também sim já posso pode escreva traduza seguinte".split()
)
_ENGLISH = frozenset(
    "the is are was of and to in it this that these what how does do did can could would you your my i a an not for "
    "with on me please tell if or be from at as there who why which".split()
)
_ACCENTED = re.compile(r"[ãõçâêôáéíóú]", re.I)


def guess_language(text: str) -> Literal["en", "pt"]:
    """The language of a message's instruction; English when in doubt."""
    found = [word.lower() for word in _WORD.findall(text[:2_000])]
    portuguese = sum(word in _PORTUGUESE for word in found) + 0.5 * len(_ACCENTED.findall(text[:2_000]))
    english = sum(word in _ENGLISH for word in found)
    return "pt" if portuguese > english else "en"
