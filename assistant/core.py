"""The way of one message: read it, find the application, let it answer, say in a sentence what went wrong.

The assistant keeps nothing between two messages: the conversation comes with the request and goes back with
the reply, so visitors cannot see each other. It knows no page and names no application.
"""

from __future__ import annotations

import difflib
import logging
import re
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Protocol

from assistant.applications import (
    Application,
    Notice,
    Payload,
    Reply,
    ReplyPart,
    Request,
    Route,
    Suggestion,
    Suggestions,
    Text,
    Vote,
    is_passing,
)
from assistant.conversation import clean, clean_payload, clean_turn, history_after
from assistant.engine.base import Engine
from assistant.errors import AssistantError, EngineError, InputError
from assistant.payload import words
from assistant.payload.language import guess_language
from assistant.plugins import PluginManager
from assistant.sentences import say
from assistant.settings import Settings

__all__ = ["Assistant", "Router", "history_after"]

logger = logging.getLogger(__name__)

# As many examples are offered when nothing else can be said.
MAX_BUTTONS = 4
# A short message that greets, and one that asks what there is.
_GREETING = re.compile(
    r"\W*(hi|hiya|hello|hey|greetings|good (morning|afternoon|evening)|ol[áa]|oi|bom dia|boa (tarde|noite))"
    r"(([^\w?]+\w+){0,3}[^\w?]*|\W+(how are you\b.{0,10}|tudo (bem|bom)|como vai\b.{0,10})\W*)",
    re.I,
)
_WHAT = re.compile(
    r"\W*(help( me)?|what (can|could|do) (you|i|this)\b.{0,20}|what are your skills|who are you|ajuda|me ajude"
    r"|o que (é que )?(você |voce |tu )?(sabe|pode|consegue|faz)[esm]?\b.{0,20}|quem é você)\W*",
    re.I,
)
# A name that nobody knows is repeated up to this length.
_QUOTED = 40


class Router(Protocol):
    """What finds the application and the payload; `assistant.routing` has the real one."""

    def route(self, request: Request, votes: Sequence[Vote]) -> tuple[Route, Payload | None]:
        """Where the request goes, given the plugins' votes, and the part of it to work on.

        A route without an application means: not sure, if it has alternatives; else nothing here is meant.
        """


class Assistant:
    """Answers messages. All methods may be called from any thread."""

    def __init__(self, engine: Engine, plugins: PluginManager, router: Router, settings: Settings) -> None:
        self.engine = engine
        self.plugins = plugins
        self.router = router
        self.settings = settings

    @property
    def applications(self) -> Mapping[str, Application]:
        """The applications in service that this engine can run, by id."""
        return offered(self.plugins.applications, self.engine)

    def reply(self, request: Request) -> Generator[Reply, None, None]:
        """Growing replies, the last of them `done`; closing the iterator stops the application.

        Raises nothing: what goes wrong becomes the reply's last sentence. What is no AssistantError is a
        defect: it is logged, and told without detail (with `settings.strict` it is raised).
        """
        started = time.perf_counter()
        reply = Reply(Route(None, 0.0, ""))
        try:
            with closing(self._replies(self._readable(request))) as replies:
                for reply in replies:
                    reply = replace(reply, milliseconds=_since(started))
                    yield reply
        except AssistantError as error:
            refused = isinstance(error, InputError)
            reply = replace(_longer(reply, Text(str(error))), failed=True, refused=refused)
        except Exception:  # the one place where a defect becomes a sentence
            if self.settings.strict:
                raise
            logger.exception("A message could not be answered.")
            reply = replace(_longer(reply, Text(say("defect", request.language))), failed=True)
        yield replace(reply, milliseconds=_since(started), done=True)

    def route(self, request: Request) -> tuple[Route, Payload | None]:
        """Where the request would go and what it would be answered on, without answering it.

        Raises InputError for a message that cannot be read or that names an unknown application.
        """
        return self._route(self._readable(request))

    def _route(self, request: Request) -> tuple[Route, Payload | None]:
        if request.application and request.payload is not None:
            return Route(request.application, 1.0, say("fields_given", request.language)), request.payload
        route, payload = self.router.route(request, self.plugins.votes(request))
        if route.application is None and not route.alternatives and (talker := self._talker()):
            # Where nothing in particular is meant, it is answered freely.
            return replace(route, application=talker.id), Payload({talker.fields[0]: request.message})
        return route, payload

    def _talker(self) -> Application | None:
        """An application that writes an answer to anything, if there is one."""
        writers = (a for a in self.applications.values() if a.task == "text-generation")
        return next((writer for writer in writers if "generate" in writer.requires), None)

    def _readable(self, request: Request) -> Request:
        """The request with clean texts and within the limits.

        Raises InputError where nothing could be done with it whatever the router said.
        """
        limits, language = self.settings.limits, request.language
        if len(request.message) > limits.message_characters:
            length, limit = len(request.message), limits.message_characters
            raise InputError(say("too_long", language, length=length, limit=limit))
        if len(request.documents) > limits.documents:
            count, limit = len(request.documents), limits.documents
            raise InputError(say("too_many_documents", language, count=count, limit=limit))
        message = clean(request.message)
        if not any(character.isalnum() for character in message):
            raise InputError(say("no_words", language))
        if request.payload is not None and request.application:
            self._require(request.application, "", request)
        elif command := words.COMMAND.match(message):
            self._require(command["id"].lower(), "/", request)
        elif request.application is not None:
            self._require(request.application, "", request)
        history = request.history[-limits.history_turns :]
        return replace(
            request,
            message=message,
            # A reply is in "pt" for "pt-BR", too; nobody behind here has to know.
            language=language.partition("-")[0].lower(),
            history=tuple(clean_turn(turn) for turn in history),
            payload=request.payload and clean_payload(request.payload),
        )

    def _require(self, name: str, prefix: str, request: Request) -> None:
        """Raise InputError, with the nearest name, where no application has this one."""
        known, language = sorted(request.known(self.applications)), request.language
        if name in known:
            return
        if not known:
            raise InputError(say("no_applications", language))
        quoted = prefix + clean(name)[:_QUOTED]
        # A plugin that is off is not imported, so what it brings is not known; the name is a good guess.
        if any(name == record.name and record.state == "disabled" for record in self.plugins.records):
            raise InputError(say("disabled", language, name=quoted, plugin=name))
        if near := difflib.get_close_matches(name[:_QUOTED].lower(), known, n=1):
            raise InputError(say("unknown_near", language, name=quoted, near=prefix + near[0]))
        names = ", ".join(prefix + application for application in known)
        raise InputError(say("unknown", language, name=quoted, names=names))

    def _replies(self, request: Request) -> Generator[Reply, None, None]:
        """The reply to a readable request: first with its route only, then longer by each part."""
        route, payload = self._route(request)
        # English is also what is guessed when in doubt, so it changes nothing.
        # A command says nothing of its writer's language.
        whole = "en" if words.COMMAND.match(request.message) else guess_language(request.message)
        if guess_language(_instruction(request.message, payload), unknown=whole) == "pt":
            request = replace(request, language="pt")
        answers = request.known(self.applications).get(route.application or "")
        reply = Reply(route, payload=payload, title=answers.title if answers else "")
        yield reply
        parts = self._answer(request, reply) if route.application else self._asked_back(request, route)
        with closing(parts):
            for part in parts:
                reply = _longer(reply, part)
                # Asked for after the first part, when the application has its adapter loaded anyway.
                if len(reply.parts) == 1:
                    reply = replace(reply, adapter=self._adapter(request, route))
                yield reply
        foreign = self._foreign(request, reply)
        yield _longer(reply, *foreign, *self.plugins.notices(request, reply, self.engine))

    def _foreign(self, request: Request, reply: Reply) -> list[Notice]:
        """A notice where an application was given a text in a language that the base does not understand."""
        known, payload = self.engine.languages, reply.payload
        if known is None or payload is None or reply.route.application is None:
            return []
        if guess_language("\n".join(map(payload.text, payload.fields))) in known:
            return []
        return [Notice(say("foreign_text", request.language), "language")]

    def _answer(self, request: Request, reply: Reply) -> Generator[ReplyPart, None, None]:
        """The parts of the application that the request was routed to, at least one."""
        name = reply.route.application or ""
        part = None
        request = replace(request, payload=reply.payload)
        engine = self.engine.in_language(request.language)
        own = next((skill for skill in request.skills if skill.id == name), None)
        answer = _parts(own, request, engine) if own else self.plugins.answer(name, request, engine)
        with closing(answer) as parts:
            for part in parts:
                yield part
        if part is None or is_passing(part):
            yield Text(say("no_answer", request.language, title=request.known(self.applications)[name].title))

    def _asked_back(self, request: Request, route: Route) -> Generator[ReplyPart, None, None]:
        """What to say when no application is clearly meant: what may be meant, or else what there is."""
        applications = self.applications
        likely = [name for name, _ in route.alternatives if name in applications]
        if not applications:
            yield Text(say("no_applications", request.language))
        elif likely:
            yield Text(say("not_sure", request.language))
            yield Suggestions(
                tuple(Suggestion(applications[name].title, f"/{name} {request.message}") for name in likely)
            )
        else:
            lines = list(_told(request, applications))
            known = self.engine.languages
            if known is not None and request.language not in known:
                lines.append(say("only_english_texts", request.language))
            yield Text("\n".join(lines))
            examples = [skill.examples[0] for skill in applications.values() if skill.examples]
            if examples:
                yield Suggestions(tuple(Suggestion(example, example) for example in examples[:MAX_BUTTONS]))

    def _adapter(self, request: Request, route: Route) -> str | None:
        """The name of the adapter behind the route's application, or of what answers in its place; None without one."""
        application = request.known(self.applications).get(route.application or "")
        if application is None or application.adapter is None:
            return None
        try:
            return self.engine.in_language(request.language).adapter(application.adapter).name
        except EngineError:
            return None  # the application did without it, so there is nothing to name


def _told(request: Request, applications: Mapping[str, Application]) -> Iterator[str]:
    """What there is: to who greets or asks, a line for each application; else only that none of them is meant."""
    greets = bool(_GREETING.fullmatch(request.message))
    if not greets and not _WHAT.fullmatch(request.message):
        titles = ", ".join(application.title for application in applications.values())
        yield say("for_none", request.language, titles=titles)
        return
    yield say("hello" if greets else "what_i_can_do", request.language)
    for application in applications.values():
        yield f"{application.title}: {application.description}"


def offered(applications: Mapping[str, Application], engine: Engine) -> dict[str, Application]:
    """The applications whose required operations the engine has."""
    return {id_: each for id_, each in applications.items() if each.requires <= engine.operations}


def _instruction(message: str, payload: Payload | None) -> str:
    """What a person says about the text to work on; the whole message where nothing else is in it."""
    rest = message
    for value in payload.fields.values() if payload else ():
        for text in (value,) if isinstance(value, str) else value:
            rest = rest.replace(text, " ")
    return rest if any(character.isalpha() for character in rest) else message


def _parts(application: Application, request: Request, engine: Engine) -> Generator[ReplyPart, None, None]:
    yield from application.answer(request, engine)


def _longer(reply: Reply, *parts: ReplyPart) -> Reply:
    """The reply with further parts. Progress and a growing text stay only until something comes after them."""
    kept = (part for part in reply.parts if not is_passing(part))
    return replace(reply, parts=(*kept, *parts))


def _since(started: float) -> float:
    """Milliseconds since a reading of the performance counter."""
    return 1000 * (time.perf_counter() - started)
