"""A small guess at a message's language: English or Portuguese, by function words and letters."""

from __future__ import annotations

import re
from typing import Literal

# Words of both ("a", "do") tell nothing.
_PORTUGUESE = """
abaixo agora ao aos avaliação boa bom com como comentário da das de dia diga dos e ela ele em então escreva
esse essa esta estas este estes está eu foi frase há isso isto já mais mensagem meu meus minha muito na nas
no o nos nao não obrigada obrigado oi olá os ou para pfv pode por posso pra quais qual quanto que quem se
seguinte ser sim são também tem texto traduza tudo um uma vc voce você à é
"""
_ENGLISH = """
an and are at be can could did does for from how i if in is it my not of on or please tell that the there
these this to was what which who why with would you your
"""
_PORTUGUESE_WORDS = frozenset(_PORTUGUESE.split())
_ENGLISH_WORDS = frozenset(_ENGLISH.split())
_WORD = re.compile(r"[^\W\d_]+")
_ACCENTED = re.compile(r"[ãõçâêôáéíóú]", re.I)
# The beginning of a text tells its language.
_CHARACTERS = 2_000


Language = Literal["en", "pt"]


def guess_language(text: str, unknown: Language = "en") -> Language:
    """The language of an instruction; English when in doubt, `unknown` where no word of it tells."""
    text = text[:_CHARACTERS]
    found = [word.lower() for word in _WORD.findall(text)]
    portuguese = sum(word in _PORTUGUESE_WORDS for word in found) + 0.5 * len(_ACCENTED.findall(text))
    english = sum(word in _ENGLISH_WORDS for word in found)
    if not portuguese and not english:
        return unknown
    return "pt" if portuguese > english else "en"
