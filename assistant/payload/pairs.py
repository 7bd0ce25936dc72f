"""Two texts in one message: what is given, and what is said to follow from it (or is compared with it)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.payload import words
from assistant.payload.clauses import cut, instruction_score, with_stop
from assistant.payload.labels import counted, half_labelled, labelled
from assistant.payload.source import MASK, Finding, Source, Stretch, Value

_Q = rf"{MASK}+"
_FOLLOWS = (
    r"(?:imply|implies|entails?|means?|contradicts?|supports?|proves?|back up|backs up|rules? out|"
    r"refutes?|implica|contradiz|significa|sustenta|prova|descarta)"
)
_DERIVED = (
    r"(?:follows?(?: logically| necessarily| directly)? from|(?:be )?(?:inferred|concluded|deduced|"
    r"derived) from|(?:implied|entailed|supported|proved|"
    r"contradicted|backed up) by|an? (?:valid )?(?:conclusion|consequence) (?:from|of)|decorre (?:de|da|"
    r"do)|segue[- ]?(?:se )?d[eao]|"
    r"(?:pode ser )?(?:inferid|concluíd|deduzid)[oa] (?:de|da|do|a partir de))"
)
_TRUTH = (
    r"(?:it(?:'s| is)? (?:also )?(?:true|right|correct|likely|possible|false|certain)(?:,? or [\w ,]+?)?|"
    r"é (?:verdade|certo|correto))"
)
_CONCLUDE = (
    r"(?:conclude|infer|deduce|say|assume|derive|claim|state|concluir|inferir|deduzir|dizer|afirmar|supor)"
)
_ASK = (
    rf"(?:(?:so |then |e |então )?(?:"
    rf"(?:is|would|will|be|would it be|is it|was it|será|é) ?(?:{_TRUTH}|it |true|right|correct|wrong|"
    rf"false|likely|unlikely|possible|safe|okay)"
    rf"(?:,? or [\w ,]+?)?(?: to {_CONCLUDE})?|"
    rf"(?<!what )(?:does|do|did|would|will) (?:this|that|it|which)(?: also| necessarily)? (?:mean|imply|follow|"
    rf"entail|prove|show|suggest|contradict)|"
    rf"(?:can|could|may|should) (?:i|we|you|one|u)(?: then| safely| also)? {_CONCLUDE}|"
    rf"(?:isso|isto) (?:significa|implica|quer dizer|prova)|(?:posso|podemos|dá para|pode-se) {_CONCLUDE}|"
    rf"{_TRUTH}))(?: that| que)?"
)
_HENCE = r"(?:therefore|thus|hence|consequently|ergo|which means|portanto|logo|então)"
_GIVEN = (
    r"(?:if|given(?: that)?|suppos(?:e|ing)(?: that)?|assum(?:e|ing)(?: that)?|knowing that|since|i know "
    r"that|"
    r"we know that|say|from|if someone says|se|dado que|sabendo que|supondo que|como)"
)
_PROVIDED = r"(?:given(?: that)?|if|assuming(?: that)?|based on|knowing that)"
_LEAD = r"(?:^|(?<=[\n.?!:,;\-–—]))\s*(?:(?:so|hi|hey|please|pls|and|ok|olá)\b\W{0,3}){0,3}"
_END = (
    r"(?:\s*(?:[?!]+|\.?$|(?=\n))"
    r"|(?<=\.)\s+(?=(?:is|are|does|do|can|would|true|right|valid|correct|isso|é)\b[^.?!]*\?\s*$))"
)

# Each pattern with the roles of its groups: g is given, d derived from it. Tried in order; the first that
# fits.
_PATTERNS = [
    re.compile(pattern, re.I | re.S)
    for pattern in (
        # from P can we infer H; if P, is it true that H; given P, H?
        rf"{_LEAD}from (?P<g>{_Q}),?\s+{_ASK}\s+(?P<d>.+?){_END}",
        rf"{_LEAD}{_GIVEN}[:,]? (?P<g>.+?)[,.;]?\s+(?:then )?{_ASK}[:,]?\s+(?P<d>.+?){_END}",
        rf"{_LEAD}(?:if|se) (?P<g>{_Q}),? (?:then|então),?\s+(?P<d>.+?){_END}",
        rf"{_LEAD}given(?: that)?:? (?P<g>.+?)[,:]\s+(?P<d>[^,]+?){_END}",
        # does it follow from P that H; can I conclude H from P
        rf"(?:does|would) it follow from (?P<g>.+?) that (?P<d>.+?){_END}",
        rf"{_LEAD}(?:(?:can|could|may) (?:i|we|you|one|u)|is it (?:possible|right|correct|ok|valid) to|"
        rf"posso|podemos) "
        rf"{_CONCLUDE}(?: that| que)? (?P<d>.+?) (?:from|based on|given|if|a partir de|com base em|de) "
        rf"(?P<g>.+?){_END}",
        # does H follow from P; is H entailed by P; is H true given P
        rf"{_LEAD}(?:does|do|did|is|are|can|could|would you say|a frase|will) (?:that )?(?P<d>.+?),? "
        rf"(?:(?:is|can|could|would|is also|to) )?{_DERIVED} (?P<g>.+?){_END}",
        rf"(?P<d>{_Q}),? (?:is |can )?{_DERIVED} (?P<g>.+?){_END}",
        rf"{_LEAD}(?:is|are) it (?:true|correct|right) that (?P<d>.+?) {_PROVIDED} (?P<g>.+?){_END}",
        rf"{_LEAD}(?:is|are) (?:the {words.NOUN} )?(?P<d>.+?) (?:true|correct|right|false|"
        rf"valid)\s*{_PROVIDED} "
        rf"(?P<g>.+?){_END}",
        rf"{_LEAD}(?:is|are) (?:the {words.NOUN} )?(?P<d>{_Q}) {_PROVIDED} (?P<g>.+?){_END}",
        # does P imply H; P implies H
        rf"{_LEAD}(?:does|do|did|would|will|can)(?: the| a)?(?: (?:first )?(?:sentence|statement|text|"
        rf"fact|premise|claim))? "
        rf"(?P<g>.+?) (?:necessarily |also |really |actually )?{_FOLLOWS}"
        rf"(?: that| the (?:claim|statement|idea|conclusion|fact)(?: that)?| que)? (?P<d>.+?){_END}",
        rf"(?P<g>{_Q}) (?:also |necessarily )?{_FOLLOWS}(?: that| que)? (?P<d>.+?){_END}",
        # P. Does that mean H?
        rf"{_LEAD}(?P<g>.+?[.!]?)[,;\-–—]*\s+(?:so\s+)?{_ASK}[:,]?\s+(?P<d>(?!{words.DEICTIC}\b).+?){_END}",
        # P, so H?
        rf"{_LEAD}(?P<g>[^?]+?)[,;]\s+(?:so|então),?\s+(?P<d>(?!{words.OPENER}\b)[^,?.!\n]+?)\s*\?",
        # P, therefore H?
        rf"{_LEAD}(?P<g>.+?[.!]?)[,;]?\s+{_HENCE},?\s+(?P<d>[^,]+?){_END}",
    )
]
# A pattern holds two sentences in passing; pasted texts are longer, and patterns slow on them. In characters.
_LONGEST_PATTERN = 1_000
_BULLET = re.compile(r"^\s*(?:(?:[-*•]|\(?\w[.)\]:])\s+|(?:and|vs\.?|versus|e)\s+(?=[A-ZÀ-Ú]|\ue000))")
# A side that only names a text stands for none.
_ELSEWHERE = re.compile(
    rf"\W*(?:(?:{words.DEICTIC}|the)\s+)?(?:{words.DEICTIC}|first|second|other|{words.NOUN}|fact|1|2|a|b)"
    rf"(?:\s+(?:{words.NOUN}|1|2|a|b))?\W*",
    re.I,
)
_REVERSED = re.compile(
    rf"^\W*(?:is |can |could |would |be |also |true |correct |valid |right )*(?:{_DERIVED}|(?:true|"
    rf"correct|right|valid)?\s*(?:given|if|assuming|based on))",
    re.I,
)


def find_pair(
    source: Source, fields: Sequence[str], cues: Sequence[str], named: bool = False
) -> Finding | None:
    """Two texts for two fields, in the order of `fields`: what is given first, what is derived from it
    second."""
    return (
        labelled(source, fields)
        or counted(source, fields)
        or _quoted(source, fields)
        or half_labelled(source, fields)
        or _patterned(source, fields)
        or _listed(source, fields, cues, named)
    )


def _quoted(source: Source, fields: Sequence[str]) -> Finding | None:
    """Two quoted texts; "Q1 follows from Q2" turns their order round."""
    blocks = source.containers
    if len(blocks) != 2:
        blocks = tuple(
            block for block in blocks if len(words.WORD.findall(source.text[block.start : block.end])) > 1
        )
    if len(blocks) != 2:
        return None
    first, second = blocks
    outside = [
        source.masked[: first.start],
        source.masked[first.end : second.start],
        source.masked[second.end :],
    ]
    # Much beside the quotes: they belong to a longer text.
    if any(len(words.WORD.findall(part)) > 40 for part in outside):
        return None
    if _REVERSED.match(outside[1]):
        first, second = second, first
    return _finding(source, fields, first.value, second.value, explicit=True)


def _patterned(source: Source, fields: Sequence[str]) -> Finding | None:
    text, place = _shortened(source)
    if len(text) > _LONGEST_PATTERN:
        return None
    for pattern in _PATTERNS:
        match = pattern.search(text)
        if match:
            given, derived = (
                _side(source, (place[a], place[b])) for a, b in (match.span("g"), match.span("d"))
            )
            if given and derived:
                return _finding(source, fields, given, derived, explicit=True)
    return None


def _shortened(source: Source) -> tuple[str, list[int]]:
    """The message with one sign for each quote, and where each of its characters stands in the message."""
    place, end = [], 0
    for quote in source.containers:
        place += [*range(end, quote.start), quote.start]
        end = quote.end
    place += range(end, len(source.masked))
    return "".join(source.masked[position] for position in place), [*place, len(source.masked)]


def _side(source: Source, stretch: Stretch) -> Value | None:
    """One side of a pattern; a lone word that points elsewhere ("this", "the second") is none."""
    text = source.masked[slice(*stretch)]
    plain = text.replace(MASK, "")
    if MASK not in text and len(words.WORD.findall(plain)) < 2:
        return None
    if MASK not in text and _ELSEWHERE.fullmatch(plain):
        return None
    quoted = source.inside(*stretch)
    if (
        len(quoted) == 1
        and len(words.WORD.findall(plain)) <= 6
        and len(words.WORD.findall(source.text[quoted[0].start : quoted[0].end])) > 1
    ):
        return quoted[0].value
    keep_question = text.rstrip().endswith("?")
    return source.value(*stretch, "" if keep_question else ",;")


def _listed(source: Source, fields: Sequence[str], cues: Sequence[str], named: bool) -> Finding | None:
    """Two lines, bullets, or sentences beside an instruction; or both sides of an arrow, a slash or "vs"."""
    parts = _split(source, cues)
    if parts is None or not (named or parts[1]):
        return None
    pieces = parts[0]
    values = [source.value(*piece) for piece in pieces]
    if len(values) < 2 or not values[0] or not values[-1]:
        return None
    given: Value = ((values[0][0][0], pieces[-2][1]),) if len(values) > 2 else values[0]
    return _finding(source, fields, given, values[-1], explicit=False)


def _split(source: Source, cues: Sequence[str]) -> tuple[list[Stretch], bool] | None:
    """The pieces of text and whether there is an instruction beside them."""
    instructed = False
    pieces: list[Stretch] = []
    for (start, end), ends in cut(source):
        closed = ends + source.masked[start:end].rstrip()[-2:]
        score = instruction_score(source.masked[start:end], cues, closed)
        if score > 0:
            instructed = True
            continue
        bullet = _BULLET.match(source.masked[start:end])
        pieces.append((start + (bullet.end() if bullet else 0), end))
    if len(pieces) < 2:
        return None
    return ([(start, with_stop(source, end)) for start, end in pieces], instructed)


def _finding(source: Source, fields: Sequence[str], first: Value, second: Value, explicit: bool) -> Finding:
    return Finding(source, {fields[0]: (first,), fields[1]: (second,)}, explicit=explicit)
