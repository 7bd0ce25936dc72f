"""Which part of a message is the one text, and which the instruction.

The message is cut into clauses; each gets a score for how much it reads like an instruction, and the text is
the run of clauses whose scores sum lowest (a maximum-sum segment: Bentley 1984, "Programming Pearls").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from assistant.payload import words
from assistant.payload.source import MASK, Container, Finding, Source, Stretch, Value, trimmed

_BOUNDARY = re.compile(
    r"\n+"
    r"|(?<=[.!?…])[\"'”’»)\]]*\s+(?:(?:-{1,3}|–|—|-+>|→|<-+|←|=+>|\||/)\s+)?"
    r"|(?<!\d):(?=\s|$|\ue000)\s*"
    r"|(?<!\s)\s{1,8}(?:-{1,3}|–|—|-+>|→|<-+|←|=+>|\||/)\s+"
    r"|(?<!\s)\s{1,8}(?=\([^()\n]{3,40}\?\)\s*$)"
    r"|(?<=\ue000)\s*[,;.]\s+|(?<=\ue000)\s+(?=(?-i:[A-ZÀ-Ú])|(?:is|are|does|do|did|would|how|"
    r"what|where|who|when|why|which|that is|isso|é|quem|onde|qual)\b)"
    r"|,\s+(?=(?:is|are|was|does|do|did|would|can|could|should|how|what|which|right|[ée]|isso|será|como|"
    r"qual)\b)",
    re.I,
)
# A clause longer than this is never scored for cues: it is pasted text.
_INSTRUCTION_WORDS = 32
_INSTRUCTION_CHARACTERS = 400
# A run of the mask counts as this clear a text.
_QUOTED = -4.0
# An emoji belongs to the text beside it.
_WORDLESS = -0.1
# Taken off a clause that asks without pointing at anything, when another clause is clearly the instruction.
_ALREADY_INSTRUCTED = 1.5
# Clauses at either end of a message that may be an instruction, and cues at the beginning of one.
_EDGE = 40
# What makes a question one to the reader of the message, and not a part of the text.
_TO_READER = re.compile(
    r"\b(?:can|could|would|will|do|did|what|any)\W+(?:you|u|we|i|one|thoughts|ideas?)\b|"
    r"\b(?:tell|help|let|show) me\b|\bshould (?:i|we)\b|\bam i\b|\bhow (?:is|was|does|do) (?:it|this|that)\b|"
    r"^\W*(?:is|are|was|were|does) "
    r"(?:it|this|that|these|they|he|she)\b|\b(?:você|podes?|posso)\b",
    re.I,
)
_SUBJECT = re.compile(r"\W*(?:it|they)\s", re.I)
# A clause that tells of its writer, who may all the same say "give me" and "for me".
_OF_WRITER = re.compile(r"\b(?:I|my|we|us|(?<!give )(?<!tell )(?<!for )(?<!show )(?<!help )(?<!let )me)\b")
_RULED = re.compile(r"(?:\s*[-=*_]{2,}[ \t]*\n)?(?P<x>.*?)(?:\n[ \t]*[-=*_]{2,}\s*)?", re.S)


@dataclass(frozen=True)
class _Clause:
    start: int
    end: int
    score: float


def find_text(source: Source, cues: Sequence[str], named: bool = False) -> Value | None:
    """The stretch that an instruction is about; None when the message holds no such text.

    `named` says that the application is known from elsewhere: then the whole message is the text, unless it
    holds a clear instruction.
    """
    whole = trimmed(source.text, 0, len(source.text))
    alone = source.value(0, len(source.text))
    if whole is None or alone != whole:
        return alone
    clauses = _clauses(source, cues)
    loose = sum(_length(source, c) for c in clauses if c.score < 0)
    if source.containers and loose > 1.5 * _length(source, _longest(source), quoted=True):
        # The quotes are part of a longer text.
        source = Source(source.text, (), source.text)
        clauses = _clauses(source, cues)
    inline = _inline(source, clauses, cues)
    if inline is not None:
        return inline
    run = _lowest_run(clauses)
    if named and not any(_clear(source.masked[c.start : c.end], cues) for c in clauses if c not in run):
        return whole
    if source.containers and _is_quoted(source, run):
        return _longest(source).value
    return unruled(source, run[0].start, with_stop(source, run[-1].end)) if run else None


def with_stop(source: Source, end: int) -> int:
    """The end of a clause after the marks that close it."""
    while end < len(source.text) and source.text[end] in ".!?…":
        end += 1
    return end


def _length(source: Source, part: _Clause | Container, quoted: bool = False) -> int:
    return len(
        words.WORD.findall(
            (source.text if quoted else source.masked)[part.start : part.end].replace(MASK, " ")
        )
    )


def _longest(source: Source) -> Container:
    return max(source.containers, key=lambda c: c.end - c.start)


def _is_quoted(source: Source, run: Sequence[_Clause]) -> bool:
    """Whether the text is what is quoted, and not the run of clauses that may hold the quote in its midst."""
    quote = _longest(source)
    if sum(_length(source, clause) for clause in run) > _length(source, quote, quoted=True):
        return False
    for clause in run:
        if clause.start <= quote.start < clause.end:
            around = source.masked[clause.start : clause.end].replace(MASK, " ")
            return not words.WORD.search(around) or words.frames_quote(around)
    return True


def finding_of_text(source: Source, name: str, cues: Sequence[str], named: bool = False) -> Finding | None:
    """`find_text` as the one field `name`."""
    value = find_text(source, cues, named)
    return Finding(source, {name: (value,)}) if value else None


def instruction_score(clause: str, cues: Sequence[str], ends: str = "") -> float:
    """How much a clause reads like an instruction; below zero it reads like text. `ends` is what closes
    it."""
    if len(clause) > _INSTRUCTION_CHARACTERS and MASK not in clause:
        return -3.0
    clause = re.sub(r"\s+", " ", clause.strip())
    if not words.WORD.search(clause.replace(MASK, " ")):
        return _QUOTED if MASK in clause else _WORDLESS
    length = len(words.WORD.findall(clause.replace(MASK, " ")))
    if words.is_courtesy(clause):
        return 2.0
    if length > _INSTRUCTION_WORDS:
        return -3.0
    hits = {hit[0].lower() for hit in words.cue_hits(clause, cues)}
    opens, at_text = words.opens_request(clause), words.points_at_text(clause)
    points = words.points(clause) and not _tells(clause, ends)
    score = -1.5 - 0.06 * max(0, length - 8)
    score += min(len(hits), 2) * (1.5 if length <= 4 or opens or points or "?" in ends else 0.8)
    score += 1.0 * opens + 1.0 * at_text + 0.5 * points + 0.7 * ("?" in ends)
    if ":" in ends and length <= 16:
        score += 1.5 if hits or opens or at_text or points or words.frames_quote(clause) else 0.5
        score += 1.5 * words.names_text(clause)
    # A clause of text may hold a quote in passing, and then says more than it quotes.
    share = clause.count(MASK) / len(clause)
    quoting = (
        hits or opens or words.frames_message(clause) or share >= (0.4 if points or length <= 4 else 0.5)
    )
    if re.search(rf"{MASK}{{9}}", clause) and length <= 20 and quoting:
        score += 1.5 + words.frames_quote(clause)
    return score


def cut(source: Source, start: int = 0, end: int | None = None) -> list[tuple[Stretch, str]]:
    """The clauses of a stretch, each with what closes it ("?", ":", a newline)."""
    end = len(source.masked) if end is None else end
    found, begin = [], start
    for boundary in _BOUNDARY.finditer(source.masked, start, end):
        found.append(
            ((begin, boundary.start()), source.masked[max(begin, boundary.start() - 1) : boundary.end()])
        )
        begin = boundary.end()
    found.append(((begin, end), source.masked[max(begin, end - 1) : end]))
    return [(stretch, ends) for stretch, ends in found if source.masked[slice(*stretch)].strip()]


def _clauses(source: Source, cues: Sequence[str]) -> list[_Clause]:
    parts = []
    for (start, end), ends in _edges(cut(source)):
        clause = source.masked[start:end]
        closes = "".join(char for char in "?:" if char in ends + clause.rstrip()[-2:])
        parts.append((start, end, clause, closes))
    clear = [_clear(clause, cues) for _, _, clause, _ in parts]
    found: list[_Clause] = []
    for start, end, clause, closes in parts:
        score = instruction_score(clause, cues, closes)
        if any(clear) and (
            (score > 0 and _could_be_text(clause, cues, closes)) or (score >= 0 and _states(clause, closes))
        ):
            score -= _ALREADY_INSTRUCTED
        elif closes == ":" and found and found[-1].score < 0 and not _addresses(clause, cues):
            # A colon within a text announces a part of that text.
            score -= _ALREADY_INSTRUCTED
        found.append(_Clause(start, end, score))
    if not any(clear):
        return found
    return [
        replace(each, score=each.score - _ALREADY_INSTRUCTED)
        if each.score > 0 and _asks_within(found, position) and _wonders(*parts[position][2:], cues)
        else each
        for position, each in enumerate(found)
    ]


def _asks_within(clauses: Sequence[_Clause], position: int) -> bool:
    """Whether a clause stands right beside the text."""
    beside = [*clauses[max(0, position - 1) : position], *clauses[position + 1 : position + 2]]
    return any(clause.score < 0 for clause in beside)


def _wonders(clause: str, closes: str, cues: Sequence[str]) -> bool:
    """Whether a question points at something, but asks nothing of the reader ("Why would anyone pay for this?")."""
    return (
        "?" in closes
        and MASK not in clause
        and not words.points_at_text(clause)
        and not words.is_courtesy(clause)
        and not words.cue_hits(clause, cues)
        and not _TO_READER.search(clause)
    )


def _edges(parts: Sequence[tuple[Stretch, str]]) -> Sequence[tuple[Stretch, str]]:
    """The clauses with the middle of a long message as one: an instruction stands at an edge."""
    if len(parts) <= 2 * _EDGE:
        return parts
    middle = ((parts[_EDGE][0][0], parts[-_EDGE - 1][0][1]), parts[-_EDGE - 1][1])
    return [*parts[:_EDGE], middle, *parts[-_EDGE:]]


def _could_be_text(clause: str, cues: Sequence[str], closes: str) -> bool:
    """Whether a question or command may itself be the text ("Is this bullying? Why don't you go home?")."""
    return not (
        ":" in closes
        or MASK in clause
        or words.is_courtesy(clause)
        or words.points(clause)
        or words.cue_hits(clause, cues)
    )


def _addresses(clause: str, cues: Sequence[str]) -> bool:
    """Whether a clause speaks to the reader of the message, or of somebody's words."""
    return words.opens_request(clause) or words.frames_quote(clause) or bool(words.cue_hits(clause, cues))


def _tells(clause: str, closes: str) -> bool:
    """Whether a clause goes on about what the one before it spoke of ("It rained.")."""
    return _SUBJECT.match(clause) is not None and not closes.strip(".\n ")


def _states(clause: str, closes: str) -> bool:
    """Whether a clause is a sentence that neither asks nor points, whatever its words ("We recommend it.")."""
    points = words.points(clause) and not _tells(clause, closes)
    asks = closes or MASK in clause or words.opens_request(clause) or points
    return not asks and not words.is_courtesy(clause) and len(words.WORD.findall(clause)) > 2


def _lowest_run(clauses: Sequence[_Clause]) -> Sequence[_Clause]:
    """The run of clauses with the lowest sum; empty when no clause reads like text."""
    best, best_sum, begin, total = (0, 0), 0.0, 0, 0.0
    for position, clause in enumerate(clauses):
        total += clause.score
        if total < best_sum:
            best, best_sum = (begin, position + 1), total
        if total >= 0:
            begin, total = position + 1, 0.0
    return clauses[slice(*best)]


def _clear(clause: str, cues: Sequence[str]) -> bool:
    """Whether a clause is an instruction beyond doubt: it asks, and says what for."""
    asks = words.opens_request(clause) or words.points_at_text(clause)
    return asks and bool(words.cue_hits(clause, cues)) and not _OF_WRITER.search(clause)


def unruled(source: Source, start: int, end: int) -> Value | None:
    """The stretch without rules (`---`) around it and without quotes, if those hold all of it."""
    inner = _RULED.fullmatch(source.text, start, end)
    return source.value(*(inner.span("x") if inner else (start, end)))


# --- text and instruction within one clause
# --------------------------------------------------------------------


def _inline(source: Source, clauses: Sequence[_Clause], cues: Sequence[str]) -> Value | None:
    """The text of "is X positive or negative", "what is the sentiment of X", "rate this tweet X"."""
    if not clauses or source.containers or not cues or any(clause.score > 0 for clause in clauses[1:]):
        return None
    first = source.text[: clauses[0].end]
    hits = words.cue_hits(first, cues)
    finders = (
        (_between, _after_noun, _after_of, _after_cue)
        if len(clauses) == 1
        else (_after_noun, _after_of, _after_cue)
    )
    for find in finders:
        stretch = find(first, hits)
        if stretch and len(words.WORD.findall(first[slice(*stretch)])) >= 3:
            start, end = stretch
            return trimmed(source.text, start, end if len(clauses) == 1 else len(source.text))
    return None


_ASKS_WHETHER = re.compile(
    r"^\W*(?:(?:hey|hi|so|and|please|pls)\b\W*)*(?:is|are|would (?:you|u) (?:say|call|consider)|do "
    r"(?:you|u) think|"
    r"tell me (?:if|whether)|[ée]|a frase|será que)\s+(?:that\s+)?",
    re.I,
)
_LINKS = re.compile(
    r"(?<!\s)\s+(?:(?:is|are|as|was|to be|sounds?|seems?|é|como)\s*)?(?:(?:an?|um|uma)\s+)?$", re.I
)
_REFERS = re.compile(
    rf"(?:{words.DEICTIC}|the\s+(?:\w+\s+)?{words.NOUN}|there|anything|anyone|my|someone|somebody|"
    rf"any)(?!\w)|(?:s?he|they|it|you|i)\s*$",
    re.I,
)
_AFTER_NOUN = re.compile(
    rf"\b(?:(?:this|dis|(?:the )?fol+owing?|est[ae]|ess[ae])\s+(?:one\s+)?{words.NOUN}|"
    r"the (?:sentence|phrase|words?))\s+",
    re.I,
)
_CONTINUES = re.compile(
    r"(?:is|are|was|were|sounds?|seems?|looks?|counts?|contains?|violates?|breaks?|carry|carries|would|"
    r"will|can|could|"
    r"should|does|do|did|has|have|had|as|that|which|who|to|for|about|in|on|at|of|from|by|with|get|got|"
    r"and|or|if|"
    r"whether|below|above|here|please|pls|correctly|é|está|são|como|em|de|do|da|que|para|abaixo)\b",
    re.I,
)
_FOR_ME = re.compile(r"(?:\s+(?:for me|please|pls|plz|por favor|pfv))+", re.I)
_OF = re.compile(
    r"\s*(?:analysis\s+)?(?:of|for(?! (?:me|us)\b)|in|behind|de|do|da)\s+(?:(?:this|the following|it)\s*)?",
    re.I,
)


def _between(text: str, hits: Sequence[re.Match[str]]) -> Stretch | None:
    """is X positive or negative; would you say X is harassment."""
    asks = _ASKS_WHETHER.match(text)
    if not asks or not hits or _REFERS.match(text, asks.end()):
        return None
    # The cues at the end, with at most two words between and after them.
    last = list(takewhile(lambda hit: len(words.WORD.findall(text[hit.end() :])) <= 4, reversed(hits)))
    end = last[-1].start() if last else len(text)
    link = _LINKS.search(text, asks.end(), end)
    return (asks.end(), link.start()) if last and link else None


def _after_noun(text: str, hits: Sequence[re.Match[str]]) -> Stretch | None:
    """rate the mood of this text X."""
    found = _AFTER_NOUN.search(text)
    if not found or _CONTINUES.match(text, found.end()) or not hits or hits[-1].start() >= found.end():
        return None
    return (found.end(), len(text))


def _after_of(text: str, hits: Sequence[re.Match[str]]) -> Stretch | None:
    """what is the sentiment of X."""
    for hit in hits:
        of = _OF.match(text, hit.end())
        if of and words.opens_request(text[: hit.start()] or text):
            refers = _REFERS.match(text, of.end()) or re.match(words.NOUN, text[of.end() :], re.I)
            return None if refers else (of.end(), len(text))
    return None


def _after_cue(text: str, hits: Sequence[re.Match[str]]) -> Stretch | None:
    """tell me if this is bullying X."""
    for hit in hits[:_EDGE]:
        before = text[: hit.end()]
        opens = words.opens_request(before) or not text[: hit.start()].strip()
        if not words.points(before) or not opens:
            continue
        run = hit.end()
        for following in hits:
            if following.start() < run:
                continue
            if len(words.WORD.findall(text[run : following.start()])) > 1:
                break
            run = following.end()
        for_me = _FOR_ME.match(text, run)
        run = for_me.end() if for_me else run
        if (
            re.match(r"\s+\w", text[run:])
            and not re.match(rf"\s+{words.NOUN}\b", text[run:], re.I)
            and not _CONTINUES.match(text[run:].lstrip())
            and "?" not in text[run:]
        ):
            return (run, len(text))
    return None
