"""A person's question in the words that the adapter was trained with.

Cause and effect are asked in two fixed sentences below the premise, as in COPA and e-CARE; of statements, the one that
makes sense is asked for in a third one. Every other question stands as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["cause", "effect", "sense", "against", "question"]

CAUSE = "What was the cause of this?"
EFFECT = "What happened as a result?"
SENSE = "Which statement makes sense?"

# --- cause and effect -----------------------------------------------------------------------------------------

_THE = r"(?:(?:the|its|a|o) )?(?:(?:more|most|mais) )?(?:(?:likely|probable|plausible|provável|plausível) )?"
_IS = r"(?:(?: (?:is|was|were|might be|could be|would be|foi|é|seria)|'s))?"
_OF_THIS = r"(?: (?:mais provável|(?:of|for|behind) (?:this|that|it)|disso|disto|para isso))?"
_WHICH_ONE = r"(?:what|which(?: one)?(?: of (?:these|them|the two))?|o que|qual(?: delas)?)"
_CAUSE = re.compile(
    rf"(?:{_WHICH_ONE}{_IS} )?{_THE}(?:cause|reason|explanation|causa|motivo|razão)s?{_OF_THIS}"
    r"|(?:what (?:has |have |may have |might have )?(?:caused|led to)|what made) (?:this|that|it)(?: happen)?"
    r"|(?:why|how come)(?: (?:is|was) (?:this|that)| did (?:this|that|it) happen)?"
    r"|o que (?:causou|provocou) (?:isso|isto)|por ?qu[eê](?: (?:isso|isto) aconteceu)?",
    re.I,
)
_EFFECT = re.compile(
    rf"(?:{_WHICH_ONE}{_IS} )?{_THE}(?:effect|result|consequence|outcome|consequência|resultado|efeito)s?{_OF_THIS}"
    r"|(?:what|which) (?:(?:most )?likely )?(?:happened|happens|(?:will|would|might) (?:(?:most )?likely )?happen)"
    r"(?: (?:then|next|after(?:wards| that)?|as a (?:result|consequence)|because of (?:this|that)))*"
    r"|what (?:did|does|will) (?:this|that|it) (?:cause|lead to|result in)|and then|then what"
    r"|o que (?:aconteceu|acontece|aconteceria|vai acontecer)"
    r"(?: (?:então|depois|em seguida|como resultado|por causa disso))*|e (?:então|depois|daí)",
    re.I,
)
# "She opened the umbrella because …" is left to be completed.
_LINK = re.compile(
    r"[\s,;.…–—-](?:(?P<cause>because|porque|pois)|(?P<effect>and so|so|therefore|as a result|então|por isso))"
    r"[\s,…._:–—-]*$",
    re.I,
)
_GAP = re.compile(r"[.!?…,;:\n–—]+[\"'”’»)]*\s*|(?<!\s)\s+-+\s+")
_LEAD = re.compile(r"\A(?:(?:so|and|then|but|e|mas)\W+)+", re.I)
_AROUND = " \t\n,;:–—-"

# --- statements -----------------------------------------------------------------------------------------------

_WHICH = (
    r"(?:(?:please|tell me|say|choose|pick|select|find|diga|escolha)\s+)*"
    r"(?:which|what|qual|quais|(?:the|a) (?:one|option|statement|sentence|frase|afirmação) (?:that|which|que)|does|do)"
    r"(?: (?:one|of|these|those|this|them|the|two|following|statements?|sentences?|options?|claims?|situations?|"
    r"delas|destas?|dessas?|das|duas|frases?|afirmação|afirmações|opção|opções))*"
)
_VERB = (
    r"(?:\s+(?:is|are|isn['’]?t|sounds?|seems?|goes|go|would be|does|do|doesn['’]?t|don['’]?t|not|"
    r"the|more|most|less|least|é|são|não|mais|menos|a|vai))*"
)
_JUDGED = (
    r"(?:mak(?:es?|ing)(?: (?:any|more|most|the most|no|better|less))? sense|"
    r"(?:against|violates?|defies|contradicts?) common ?sense|common ?sense|"
    r"sensible|plausible|likely|realistic|reasonable|logical|believable|probable|possible|normal|true|"
    r"absurd|nonsense|nonsensical|weird|ridiculous|impossible|implausible|unlikely|strange|odd|"
    r"faz(?:em)?(?: mais| menos)? sentido|(?:contra|contraria) o (?:senso comum|bom senso)|"
    r"plausível|lógica|provável|verdadeira|absurda|impossível|estranha)"
)
_OF_STATEMENTS = re.compile(
    rf"\W*(?:(?:so|and|e)\W+)?{_WHICH}{_VERB}\s+{_JUDGED}"
    r"(?:\s+(?:one|statement|sentence|to (?:you|me)|here|at all))?\W*",
    re.I,
)
_AGAINST = re.compile(
    r"\b(?:against|violates?|defies|contradicts?|no|not|less|least|absurda?|nonsense|nonsensical|weird|ridiculous|"
    r"impossible|implausible|unlikely|strange|odd|contra|contraria|não|menos|impossível|estranha)\b|n['’]t\b|\b(?:do|does|is)nt\b",
    re.I,
)


@dataclass(frozen=True)
class Asked:
    """`focus` is the person's own words, `question` the fixed sentence below them; either may be empty."""

    kind: Kind
    focus: str
    question: str = ""

    @property
    def text(self) -> str:
        """What the adapter reads beside an option."""
        return self.with_focus(self.focus)

    def with_focus(self, focus: str) -> str:
        """The same question about other words."""
        return "\n".join(part for part in (focus, self.question) if part)


def read_question(text: str) -> Asked:
    """What is asked, in the training data's words where those are fixed."""
    text = text.strip()
    if _OF_STATEMENTS.fullmatch(text):
        return Asked("against" if _AGAINST.search(text) else "sense", "", SENSE)
    for premise, asked in _divided(text):
        if _CAUSE.fullmatch(asked):
            return Asked("cause", premise, CAUSE)
        if _EFFECT.fullmatch(asked):
            return Asked("effect", premise, EFFECT)
    # The link is looked for at the end only, so that a long text costs nothing.
    if link := _LINK.search(text, max(0, len(text) - 60)):
        premise = text[: link.start()].strip(_AROUND)
        if any(character.isalnum() for character in premise):
            return Asked("cause", premise, CAUSE) if link["cause"] else Asked("effect", premise, EFFECT)
    return Asked("question", text)


def _divided(text: str) -> Iterator[tuple[str, str]]:
    """(premise, question): the last or the last two clauses may be the question, or the first one."""
    gaps = [gap for gap in _GAP.finditer(text) if gap.end() < len(text)]
    sides = [(text[: gap.end()], text[gap.end() :]) for gap in gaps[:-3:-1]]
    sides += [(text[gap.end() :], text[: gap.start()]) for gap in gaps[:1]]
    for premise, asked in sides:
        premise = premise.strip(_AROUND)
        if any(character.isalnum() for character in premise):
            bare = " ".join(asked.replace("’", "'").split()).strip(" ?!:.…,-–—")
            yield premise, bare
            yield premise, _LEAD.sub("", bare, count=1)
