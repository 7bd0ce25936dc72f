"""Messages that continue a conversation: "and this one: …", "why?", "shorter"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from assistant.applications import Application, FieldValue, Payload, Request, Turn
from assistant.payload import words
from assistant.payload.source import Source, Stretch

_WHY = re.compile(
    r"\W*(?:(?:and|but|ok|okay|hm+|sorry|really|are you sure|e|mas)\W+)*(?:why(?: not| is (?:that|it|this)| so|"
    r" (?:that|this)(?: one| answer)?| do you (?:think|say)(?: so| that| this)?|"
    r" did you (?:say|choose|pick) (?:so|that|this))?|how come|how so|explain(?: (?:that|it|this|why|"
    r"yourself))?|"
    r"how do you know(?: that)?|what makes you (?:say|think) (?:so|that|this)|can you explain(?: (?:that|"
    r"it|this|why))?|"
    r"por ?qu[eê]|pq|como assim|explique|explica)(?: (?:please|pls|por favor|though|exactly))?\W*",
    re.I,
)
_AMOUNT = (
    r"(?:(?:a |an )?(?:half|third|quarter)(?: (?:of )?(?:the|its|that) (?:length|size|text)| as long)?|metade|um terço|"
    r"\d{1,3} ?%|(?:\d{1,4}|an?|one|two|three|four|five|six|ten|uma?|duas|dois|três|quatro|cinco)"
    r"(?: (?:short|single|key))?[ -](?:sentences?|words?|lines?|points?|bullets?(?: points?)?|frases?|palavras|"
    r"linhas|pontos))"
)
_LENGTH = re.compile(
    r"\W*(?:(?:and|now|ok|please|pls|can you|could you|make|it|that|this|a|bit|little|much|even|still|"
    r"too|be|more|mais|"
    r"muito|um pouco|agora|por favor)\W+)*(?P<x>short|shorter|briefer|brief|concise|shorten|longer|long|"
    r"detailed|detail|"
    r"curt[oa]|long[oa]|breve|detalhad[oa]|(?:in |with |using |em |com )?(?:fewer|less|more|menos|mais) (?:words|text|"
    r"palavras|texto))"
    rf"(?:,? (?:it|that|please|pls|still|por favor)|,? (?:in |about |to |em )?{_AMOUNT})*\W*",
    re.I,
)
# A length by itself, which the application reads out of the message: "in one sentence", "cut it to half".
_AMOUNTS = re.compile(
    r"\W*(?:(?:and|now|ok|please|pls|can you|could you|only|just|agora|por favor|make|reduce|cut|shorten|trim|boil|"
    r"condense|sum|get|reduz|encurta|resume|it|that|this|down|up|to|in|by|at most|max(?:imum)?|em|para|isso|isto)\W+)*"
    rf"{_AMOUNT}(?:\W+(?:please|pls|max(?:imum)?|at most|only|instead|por favor|no máximo))*\W*",
    re.I,
)
_TOO = re.compile(r"\b(?:too|muito|demais)\b", re.I)
_LONG = re.compile(r"long|detail|detalh|(?:\w+ )?(?:more|mais)\b", re.I)
_NEXT = re.compile(
    rf"\W*(?:(?:ok|okay|and|now|so|then|e|agora|thanks|cool)\W+)*(?:what about|how about|what of|same "
    rf"(?:for|with|question for|thing for)|"
    rf"and|now|try|next|another|e quanto a|que tal|o mesmo para|e|agora)\b\s*"
    rf"(?P<points>(?:(?:this|that|these|the (?:next|following)|another|est[ae]s?|ess[ae]s?|"
    rf"one)(?!\w)\s*)*(?:{words.NOUN}\b)?\s*(?:too|instead)?)\s*"
    rf"(?P<colon>[:,\-–—\n]*)\s*(?P<x>.+)",
    re.I | re.S,
)
# "What about the staff were lovely?": a sentence of its own, and not a thing ("what about the weather?").
_WHAT_ABOUT = re.compile(
    r"\W*(?:(?:ok|okay|and|so|e)\W+)*(?:what about|how about|e quanto a|que tal)\s+(?P<x>\S.*?[^\s?])[\s?]*",
    re.I,
)
_ARTICLE = re.compile(r"^(?:the|my|your|an?|o|a)\s", re.I)
_SENTENCE = 3  # words, beside an article
_LONGEST_WHAT_ABOUT = 500  # characters
_AND = re.compile(r"^(?:(?:and|so|ok|okay|then|now|e|então)\b[\s,]*)+", re.I)
LONGEST_QUESTION = 25  # words


@dataclass(frozen=True)
class FollowUp:
    """A message that goes on with `application`; `reason` is a sentence for the page, and with `asks` it is taken for
    another question about the same text."""

    application: str
    payload: Payload
    reason: str
    asks: bool = False


def last_turn(request: Request) -> Turn | None:
    """The latest turn that an application answered on a payload."""
    answered = (turn for turn in reversed(request.history) if turn.application and turn.payload)
    return next(answered, None)


def follow_up(request: Request, applications: Mapping[str, Application]) -> FollowUp | None:
    """What the message continues; None when it stands on its own."""
    turn = last_turn(request)
    if turn is None or turn.payload is None or turn.application is None:
        return None
    application, payload, message = applications.get(turn.application), turn.payload, request.message
    if application is None:
        return None
    if _WHY.fullmatch(message):
        options = {**payload.options, "explain": "yes"}
        return FollowUp(application.id, Payload(payload.fields, options), "You asked about the last answer.")
    if wish := _LENGTH.fullmatch(message):
        longer = bool(_LONG.match(wish["x"])) != bool(_TOO.search(message))
        options = {**payload.options, "length": "longer" if longer else "shorter"}
        return FollowUp(application.id, Payload(payload.fields, options), "You asked for another length.")
    if _AMOUNTS.fullmatch(message):
        options = {name: wish for name, wish in payload.options.items() if name != "length"}
        return FollowUp(application.id, Payload(payload.fields, options), "You asked for another length.")
    if asked := _next_question(message, application, payload):
        others = [cue for other in applications.values() if other is not application for cue in other.cues]
        if not (words.points(message) and words.cue_hits(message, others)):
            reason = "You asked another question about the same text."
            return FollowUp(application.id, asked, reason, asks=True)
    fields = _next_fields(message, application, payload)
    if fields is not None:
        return FollowUp(application.id, Payload(fields, payload.options), "You went on with another text.")
    return None


def carried_over(payload: Payload, application: Application) -> Payload | None:
    """The last payload for another application: the fields it shares, or all texts as the one that it
    takes."""
    shared: dict[str, FieldValue] = {
        name: payload.fields[name] for name in application.fields if name in payload.fields
    }
    if len(shared) == len(application.fields):
        return Payload(shared)
    if len(application.fields) == 1:
        name = "context" if "context" in payload.fields else ""
        text = payload.text(name) or "\n".join(payload.text(each) for each in payload.fields)
        return Payload({application.fields[0]: text}) if text else None
    return None


def _next_question(message: str, application: Application, last: Payload) -> Payload | None:
    """The last text with a question of its own: "and when was it opened?"."""
    if not {"question", "context"} <= set(application.fields) or not last.text("context"):
        return None
    question = _AND.sub("", message.strip(), count=1)
    count = len(words.WORD.findall(question))
    asks = question.endswith("?") or (count <= 12 and words.asks(question))
    if not asks or "\n" in question or not 2 <= count <= LONGEST_QUESTION:
        return None
    if Source.read(message).containers or re.search(r"[.!:;]\s", question):
        return None  # it may bring a text of its own
    return Payload({**last.fields, "question": question}, last.options)


def _next_fields(message: str, application: Application, last: Payload) -> dict[str, FieldValue] | None:
    """The last fields with what the message puts in the place of one of them; None where that is not one text."""
    if "choices" in application.fields or ("question" in application.fields and "?" in message):
        return None
    source = Source.read(message)
    quoted = source.containers
    outside = source.masked.replace("\ue000", " ")
    if len(quoted) == 1 and len(words.WORD.findall(outside)) <= 8:
        named = [name for name in application.fields if re.search(rf"\b{re.escape(name)}\b", outside, re.I)]
        if named or _NEXT.fullmatch(message):
            return {**last.fields, (named or application.fields)[-1]: source.read_value(quoted[0].value)}
        return None
    stretch = _next_text(message)
    value = source.value(*stretch) if stretch else None
    return {**last.fields, application.fields[-1]: source.read_value(value)} if value else None


def _next_text(message: str) -> Stretch | None:
    """Where the text stands in "and this one: …", and in "what about …?" with a sentence of its own."""
    match = _NEXT.fullmatch(message)
    if match and (
        re.search("[:\n]", match["colon"]) or (match["points"].strip() and match["colon"].strip(" ,"))
    ):
        return match.span("x")
    about = _WHAT_ABOUT.fullmatch(message) if len(message) <= _LONGEST_WHAT_ABOUT else None
    if about and len(words.WORD.findall(_ARTICLE.sub("", about["x"]))) >= _SENTENCE:
        return about.span("x")
    return None
