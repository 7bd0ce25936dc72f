"""Questions that a text does not answer, made from those that it does.

Two kinds, both needed for "the text does not say": a question asked of another text of the same article, as a retriever
would bring it, and a question changed in one place, so that its own text no longer answers it. The kinds of change are
those that Rajpurkar et al. 2018 (arXiv 1806.03822, table 1) count in SQuAD 2.0: entity swaps, antonyms and negation.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from assistant.workshop.data import Example

NEARBY = 8  # contexts

_PAIRS = (
    "first last|largest smallest|biggest smallest|highest lowest|longest shortest|oldest youngest|oldest newest|"
    "most least|best worst|more less|more fewer|many few|before after|above below|inside outside|"
    "increase decrease|increased decreased|rise fall|rose fell|gain lose|gained lost|win lose|won lost|"
    "begin end|began ended|start end|started stopped|open close|opened closed|accept reject|accepted rejected|"
    "allow forbid|allowed forbidden|support oppose|supported opposed|supporters opponents|join leave|joined left|"
    "north south|northern southern|east west|eastern western|left right|early late|earliest latest|earlier later|"
    "high low|higher lower|large small|larger smaller|big little|long short|old new|older newer|older younger|"
    "strong weak|hot cold|warm cool|fast slow|public private|rich poor|major minor|upper lower|rural urban|male female|"
    "men women|man woman|father mother|son daughter|brother sister|husband wife|king queen|positive negative|"
    "advantage disadvantage|advantages disadvantages|same different|similar different|always never|"
    "include exclude|includes excludes|buy sell|bought sold|import export|attack defend|"
    "like dislike|love hate|agree disagree|possible impossible|common rare|success failure|friend enemy|"
    "maximum minimum|create destroy|created destroyed|built destroyed|build destroy|add remove|added removed"
)
_OPPOSITES: dict[str, list[str]] = {}
for _pair in _PAIRS.split("|"):
    _one, _other = _pair.split()
    _OPPOSITES.setdefault(_one, []).append(_other)
    _OPPOSITES.setdefault(_other, []).append(_one)

_OPPOSABLE = re.compile(rf"\b({'|'.join(_OPPOSITES)})\b")
_NUMBER = re.compile(r"(?<![\w.,])\d[\d,.]*\d|(?<![\w.,])\d(?!\w)")
_NAME = re.compile(r"\b[A-Z][\w'-]*(?:\s+(?:of\s+|the\s+)?[A-Z][\w'-]*)*")
_NEGATABLE = re.compile(r"\b(did|does|do|was|were|is|are|has|have|had|can|could|would|should|will)\b")
_ASKING = re.compile(r"^(who|what|which|when|where|why|how)\b", re.IGNORECASE)


def elsewhere(examples: Sequence[Example], share: float) -> list[Example]:
    """Questions with another context from nearby in the file (as a rule the same article): of those without the
    answer the one that shares most words with the question, as a retriever would bring it."""
    contexts = list(dict.fromkeys(e.texts[1] for e in examples))
    place = {context: i for i, context in enumerate(contexts)}
    words = [set(re.findall(r"\w+", context.lower())) for context in contexts]
    answerable = [e for e in examples if e.label]
    result = []
    for i in range(round(share * len(answerable))):
        question, context = (example := answerable[int(i / share)]).texts
        answers = {context[start:end].lower() for start, end in example.label}
        asked, here = set(re.findall(r"\w+", question.lower())), place[context]
        others = [
            j
            for j in range(max(0, here - NEARBY), min(len(contexts), here + NEARBY + 1))
            if j != here and not any(answer in contexts[j].lower() for answer in answers)
        ]
        if others:
            best = max(others, key=lambda j: len(words[j] & asked))
            result.append(Example((question, contexts[best]), ()))
    return result


def altered(examples: Sequence[Example], share: float) -> list[Example]:
    """Questions changed in one place, with their own context. Questions in which nothing can be changed are passed
    over, so there may be fewer than the share."""
    answerable = [e for e in examples if e.label]
    contexts = list(dict.fromkeys(e.texts[1] for e in examples))
    place = {context: i for i, context in enumerate(contexts)}
    result = []
    for i in range(round(share * len(answerable))):
        question, context = (example := answerable[int(i / share)]).texts
        rng = random.Random(f"{question}\n{i}")
        here = place[context]
        # Names of the text itself are the harder distractors, but it may hold none that fits.
        around = " ".join(contexts[max(0, here - 1) : here + 2])
        answers = {context[start:end].lower() for start, end in example.label}
        ways = [_another_name, _another_number, _opposite, _negation]
        for way in rng.sample(ways, k=len(ways)):
            if (changed := way(question, context, around, answers, rng)) is not None:
                result.append(Example((changed, context), ()))
                break
    return result


def _another_name(
    question: str, context: str, around: str, answers: set[str], rng: random.Random
) -> str | None:
    """A name of the question replaced by another one of the text (or of its neighbours)."""
    names = [m for m in _NAME.finditer(question) if m.start() and m.group() in context]
    if not names:
        return None
    old = rng.choice(names)
    for source in (context, around):
        others = {
            m.group()
            for m in _NAME.finditer(source)
            # A sentence's first word is capitalised for another reason.
            if source[max(0, m.start() - 2) : m.start()].strip() not in ("", ".", "?", "!")
            and not set(m.group().lower().split()) & set(question.lower().split())
            and not any(m.group().lower() in a or a in m.group().lower() for a in answers)
            and len(m.group()) > 2
        }
        if others:
            # Of as many words, if there is one: more likely of the same kind.
            alike = {o for o in others if len(o.split()) == len(old.group().split())}
            return question[: old.start()] + rng.choice(sorted(alike or others)) + question[old.end() :]
    return None


def _another_number(
    question: str, context: str, around: str, answers: set[str], rng: random.Random
) -> str | None:
    numbers = [m for m in _NUMBER.finditer(question) if m.group() in context]
    if not numbers:
        return None
    old = rng.choice(numbers)
    others = sorted({m.group() for m in _NUMBER.finditer(context)} - {n.group() for n in numbers} - answers)
    alike = [other for other in others if len(other) == len(old.group())]
    if alike and rng.random() < 0.6:
        new = rng.choice(alike)
    elif old.group().isdigit():
        new = str(max(1, int(old.group()) + rng.choice([-20, -10, -3, -2, -1, 1, 2, 3, 10, 20])))
    else:
        return None
    return None if new == old.group() else question[: old.start()] + new + question[old.end() :]


def _opposite(question: str, context: str, around: str, answers: set[str], rng: random.Random) -> str | None:
    words = list(_OPPOSABLE.finditer(question))
    if not words:
        return None
    old = rng.choice(words)
    # "how many" and "how long" ask for a size, they do not claim one.
    if re.search(r"\bhow\s+$", question[: old.start()], re.IGNORECASE):
        return None
    return question[: old.start()] + rng.choice(_OPPOSITES[old.group()]) + question[old.end() :]


def _negation(question: str, context: str, around: str, answers: set[str], rng: random.Random) -> str | None:
    verb = _NEGATABLE.search(question)
    # Negating everything that has a verb would teach that "not" alone decides.
    if (
        verb is None
        or not _ASKING.match(question)
        or rng.random() < 0.7
        or re.search(r"n't|\bnot\b", question)
    ):
        return None
    if rng.random() < 0.3:
        return f"{question[: verb.end()]}n't{question[verb.end() :]}".replace("cann't", "can't").replace(
            "willn't", "won't"
        )
    following = re.match(r"\s+(?:the\s+|an?\s+)?[\w'-]+(?:\s+[A-Z][\w'-]*)*", question[verb.end() :])
    if verb.group() in ("did", "does", "do", "can", "could", "would", "should", "will") and following:
        at = verb.end() + following.end()
    else:
        at = verb.end()
    return question[:at] + rng.choice([" not", " not", " never"]) + question[at:]
