"""The router: see the package's docstring for the order in which it decides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from assistant.applications import Application, Payload, Request, Route, Vote
from assistant.engine.base import Engine
from assistant.errors import InputError
from assistant.payload import MessageReader, find_payload, words
from assistant.payload.language import guess_language
from assistant.payload.source import MASK, Source
from assistant.routing.followups import FollowUp, carried_over, follow_up, last_turn
from assistant.routing.voter import NONE, InstructionVoter, Opinion
from assistant.splitting import split_sentences

# Chosen on the building half of benchmarks/routing/messages.jsonl.
ACCEPT = 0.5  # an application answers from this score on,
LEAD = 2.0  # when its odds are this many times those of the next one;
CONSIDER = 0.15  # from this score on it is offered as a button.
# Of questions on SQuAD paragraphs one in 250 is less like each sentence (cosine), of CLINC150's questions on other
# things 49 in 50. In a long text anything may stand.
SAME_SUBJECT, LONGEST_CONTEXT = 0.25, 6_000
REFERRED = 0.8  # the score of an application that a message asks for on the last text
PORTUGUESE_CUE = 0.8  # the score of the only application whose cues stand in a Portuguese instruction

_FILLER = re.compile(
    r"\b(?:and|now|ok|okay|please|pls|any|the|an?|is|are|there|its?|check|e|o|há|algum|alguns|agora|por favor)\b",
    re.I,
)
# A word in capitals, or a figure, that does not begin the message.
_NAME = re.compile(r"(?<=\w )(?:[^\W\d_a-z]\w+|\d+)")


class Router:
    """Decides which of `applications` a request is for. Holds no state of a conversation; what it learns at its first
    request is kept in the folder `kept_in`, if there is one, for the next start."""

    def __init__(
        self,
        engine: Engine,
        applications: Mapping[str, Application],
        reader: MessageReader | None = None,
        kept_in: Path | None = None,
    ) -> None:
        self.applications, self.reader = dict(applications), reader
        self.voter = InstructionVoter(engine, self.applications, reader, kept_in)

    def route(self, request: Request, votes: Sequence[Vote] = ()) -> tuple[Route, Payload | None]:
        """The route and the payload, None where the application has to ask for its text.

        `votes` are the plugins' own opinions. Raises InputError for an unknown slash command or a pinned
        application that is not installed.
        """
        command = words.COMMAND.match(request.message)
        if command:
            return self._commanded(request, command["id"], request.message[command.end() :])
        if request.application is not None:
            return self._pinned(request, request.application)
        continued = follow_up(request, request.known(self.applications))
        if continued and not self._changes_subject(request.message, continued):
            return Route(continued.application, 1.0, continued.reason), continued.payload
        if not self.applications:
            return Route(None, 0.0, "No application is installed."), None
        opinion = self._opinion(request, votes)
        if request.documents and (answered := self._document_question(request, opinion)):
            return answered
        return self._voted(request, opinion)

    def _changes_subject(self, message: str, continued: FollowUp) -> bool:
        """Whether a question names what the last text does not, and resembles none of its sentences."""
        context = continued.payload.text("context")
        if not continued.asks or not context or len(context) > LONGEST_CONTEXT:
            return False
        names = [match[0].lower() for match in _NAME.finditer(message)]
        if all(name in context.lower() for name in names) or guess_language(message) != "en":
            return False
        sentences = [context[start:end] for start, end in split_sentences(context)]
        question, *others = self.voter.engine.embed([message, context, *sentences])
        return max(float(other @ question) for other in others) < SAME_SUBJECT

    # --- said outright
    # -----------------------------------------------------------------------------------------

    def _commanded(self, request: Request, id_: str, rest: str) -> tuple[Route, Payload | None]:
        application = request.known(self.applications).get(id_.lower())
        if application is None:
            raise InputError(f"There is no command /{id_}; {self._nearest(id_)}.")
        route = Route(application.id, 1.0, f"You typed /{application.id}.")
        if rest.strip():
            return route, find_payload(rest, application, replace(request, application=application.id))
        return route, self._carried(request, application) or find_payload("", application, request)

    def _pinned(self, request: Request, id_: str) -> tuple[Route, Payload | None]:
        application = request.known(self.applications).get(id_)
        if application is None:
            raise InputError(f"There is no application {id_!r}; {self._nearest(id_)}.")
        route = Route(id_, 1.0, f"You chose {application.title}.")
        continued = follow_up(request, {id_: application})
        payload = continued.payload if continued else self._found(request, application)
        return route, payload

    def _nearest(self, id_: str) -> str:
        near = get_close_matches(id_.lower(), self.applications, n=1, cutoff=0.5)
        if near:
            return f"did you mean /{near[0]}"
        return f"there is {', '.join('/' + each for each in self.applications) or 'none'}"

    # --- documents
    # ---------------------------------------------------------------------------------------------

    def _document_question(self, request: Request, opinion: Opinion) -> tuple[Route, Payload | None] | None:
        """A question goes to an application that answers from a passage, unless another one is clearly
        meant."""
        best = max(self.applications, key=lambda id_: opinion.probabilities[id_], default=None)
        meant = best is not None and opinion.probabilities[best] >= ACCEPT and bool(opinion.cues.get(best))
        if meant or not (request.message.rstrip().endswith("?") or words.opens_request(request.message)):
            return None
        for application in self.applications.values():
            if {"question", "context"} <= set(application.fields) and "choices" not in application.fields:
                reason = "You asked a question about the attached document."
                return Route(application.id, 1.0, reason), self._found(request, application)
        readers = tuple(
            (id_, opinion.probabilities[id_])
            for id_, each in self.applications.items()
            if len(each.fields) == 1
        )
        reason = "No installed application answers questions about a document; these can read it."
        return Route(None, 0.0, reason, tuple(sorted(readers, key=lambda pair: -pair[1]))), None

    # --- votes
    # -------------------------------------------------------------------------------------------------

    def _opinion(self, request: Request, votes: Sequence[Vote]) -> Opinion:
        opinion = self.voter.ask(request.message)
        probabilities = dict(opinion.probabilities)
        language = guess_language(request.message)
        if guess_language(_instruction(opinion, request.message), unknown=language) == "pt":
            probabilities |= self._by_cues(opinion)
        if last_turn(request) and (about := self._about_last_text(request, opinion)):
            probabilities[about] = max(probabilities[about], REFERRED)
        told = {}
        for vote in votes:
            if vote.application in self.applications and vote.score > probabilities[vote.application]:
                probabilities[vote.application] = vote.score
                told[vote.application] = vote.reason
        return replace(opinion, probabilities=probabilities, told=told)

    def _by_cues(self, opinion: Opinion) -> dict[str, float]:
        """The base reads English only: a Portuguese instruction is decided by its cues and by how it is
        built."""
        counts = {}
        for id_, hits in opinion.cues.items():
            reading = opinion.readings[tuple(self.applications[id_].fields)]
            usable = reading.has_text or reading.points
            counts[id_] = usable * (len(hits) + reading.explicit + (reading.overlap > 0))
        total = sum(counts.values())
        scores = {id_: PORTUGUESE_CUE * count / total if total else 0.0 for id_, count in counts.items()}
        return {**scores, NONE: 1.0 - max(scores.values(), default=0.0)}

    def _about_last_text(self, request: Request, opinion: Opinion) -> str | None:
        """The only application whose cues stand in a short message that points back ("and is it
        bullying?")."""
        mentioned = [id_ for id_, hits in opinion.cues.items() if hits]
        short = len(words.WORD.findall(request.message)) <= 12
        if len(mentioned) != 1 or not short:
            return None
        if not words.refers_back(request.message) and not self._only_cues(request.message, mentioned[0]):
            return None
        application = self.applications[mentioned[0]]
        found = self._found(request, application)
        return None if found else application.id

    def _only_cues(self, message: str, id_: str) -> bool:
        """Whether a message says no more than what is wanted ("any spelling errors?")."""
        rest = list(message)
        for hit in words.cue_hits(message, self.voter.cues[id_]):
            rest[hit.start() : hit.end()] = " " * (hit.end() - hit.start())
        return _FILLER.sub("", "".join(rest)).strip(" ?.!,") == ""

    def _voted(self, request: Request, opinion: Opinion) -> tuple[Route, Payload | None]:
        ranked = sorted(
            ((id_, opinion.probabilities[id_]) for id_ in self.applications), key=lambda pair: -pair[1]
        )
        with_text = [reading for reading in opinion.readings.values() if reading.has_text]
        best, score = ranked[0]
        # Where no mark sets an instruction off ("tl;dr The council met"), only the message reader sees it.
        if with_text and not any(reading.instructed for reading in with_text) and score < ACCEPT:
            return self._only_text(request, ranked)
        second = ranked[1][1] if len(ranked) > 1 else 0.0
        offered = tuple(pair for pair in ranked if pair[1] >= CONSIDER)
        application = self.applications[best]
        payload = self._found(request, application) or self._referred(request, application)
        reading = opinion.readings[tuple(application.fields)]
        if payload is None and not reading.points:
            return Route(None, score, "The message holds no text to work on.", ()), None
        if score >= ACCEPT and _odds(score) >= LEAD * _odds(second):
            return Route(best, score, _reason(opinion, best), tuple(ranked[1:])), payload
        if not offered or (score < ACCEPT and opinion.probabilities[NONE] >= ACCEPT):
            return Route(None, score, "No installed application seems to be meant."), None
        return Route(None, score, "More than one application may be meant, or none clearly.", offered), None

    def _only_text(
        self, request: Request, ranked: Sequence[tuple[str, float]]
    ) -> tuple[Route, Payload | None]:
        """A text without an instruction: whoever can read it is offered."""
        message = request.message
        readers = tuple(
            pair
            for pair in ranked
            if find_payload(message, self.applications[pair[0]], replace(request, application=pair[0]))
        )
        if len(words.WORD.findall(message)) < 5:
            readers = ()
        return Route(None, 0.0, "The message is a text without an instruction.", readers), None

    def _found(self, request: Request, application: Application) -> Payload | None:
        """What the message itself, or a document with it, gives the application to work on."""
        return find_payload(request.message, application, request, self.reader)

    def _referred(self, request: Request, application: Application) -> Payload | None:
        """The last text, when the message points at it ("now check it for mistakes")."""
        message = request.message
        if words.refers_back(message) or self._only_cues(message, application.id):
            return self._carried(request, application)
        return None

    def _carried(self, request: Request, application: Application) -> Payload | None:
        turn = last_turn(request)
        return carried_over(turn.payload, application) if turn and turn.payload else None


def _odds(probability: float) -> float:
    return probability / max(1.0 - probability, 1e-9)


def _instruction(opinion: Opinion, message: str) -> str:
    """The shortest instruction that the message holds for any shape, without what it quotes; the whole message where it
    holds none."""
    sources = (Source.read(reading.instruction) for reading in opinion.readings.values())
    unquoted = (source.masked.replace(MASK, "") for source in sources)
    return min(filter(words.WORD.search, unquoted), key=len, default=message)


def _reason(opinion: Opinion, id_: str) -> str:
    if told := opinion.told.get(id_):
        return told
    cues = ", ".join(f"“{cue}”" for cue in opinion.cues.get(id_, ())[:3])
    example = opinion.nearest.get(id_, "").replace("\n", " ")
    mention = f"The instruction mentions {cues}" if cues else "The instruction"
    if not example:
        return f"{mention}." if cues else "It fits best."
    return f"{mention}{' and' if cues else ''} resembles: {example}"
