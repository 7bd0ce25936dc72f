"""Plugins: loaded one by one, called one by one, each on its own account.

What a failure costs, for a plugin that

    cannot be loaded  the plugin: it is listed as failed, with the traceback, and none of its hooks is called.
                      Loading is the import, the hooks' names and the registering of its applications and methods.
    raises, or gives  that one answer, vote or review. The plugin stays active, for other messages may fare
    a wrong value     better; its record keeps the error.
    hangs             that one call too; but as long as the call is stuck the plugin counts as failed and is
                      asked nothing more, so that no more threads are lost to it. A call that comes back after
                      all puts it into service again: a plugin that was slow on one long text is not broken.

Plugins are trusted code: this guards against accidents, not against malice. What visitors wrote may stand in
the message of an exception; so a record names only the type and the place of what a call raised.
"""

from __future__ import annotations

import difflib
import logging
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pluggy

from assistant import hookspecs, installed
from assistant.applications import Application, Notice, Reply, ReplyPart, Request, Vote, is_passing
from assistant.checks import checked_application, checked_method, checked_notice, checked_part, checked_vote
from assistant.deadlines import Overdue, call, stream
from assistant.engine.base import Engine
from assistant.errors import AssistantError, InputError, PluginError, UnsupportedTask
from assistant.installed import DisabledPlugins, PluginRecord, PluginState
from assistant.settings import Settings
from assistant.workshop.methods import Method, built_in

__all__ = ["PluginManager", "PluginRecord"]

logger = logging.getLogger(__name__)

T = TypeVar("T")
Contribution = TypeVar("Contribution", Application, Method)
# Who owns the methods that are always there.
BUILT_IN = "built-in"
# A hook that gives more values than this is a generator that does not end.
MAX_VALUES = 1_000


class PluginManager:
    """The installed plugins (or the given entry points), loaded. Everything may be called from any thread.

    With `settings.strict` whatever a plugin raises is raised, at loading as at every call.
    """

    def __init__(self, settings: Settings, entry_points: Iterable[EntryPoint] | None = None) -> None:
        self._settings = settings
        self._given = None if entry_points is None else tuple(entry_points)
        self._lock = threading.Lock()
        self._hooks = pluggy.PluginManager(hookspecs.PROJECT)
        self._hooks.add_hookspecs(hookspecs)
        self._known = tuple(sorted(vars(self._hooks.hook)))
        self._records: dict[str, PluginRecord] = {}
        self._namesakes: list[PluginRecord] = []
        # By id, with the name of the plugin that brought it.
        self._applications: dict[str, tuple[Application, str]] = {}
        self._methods: dict[str, tuple[Method, str]] = {
            method.id: (method, BUILT_IN) for method in built_in()
        }
        self._stuck: Counter[str] = Counter()  # how many overdue calls of a plugin are still running
        disabled = self._disabled()
        for point in installed.entry_points(self._given):
            self._add(point, disabled)

    @property
    def records(self) -> tuple[PluginRecord, ...]:
        """One record for each plugin found, by name, whatever its state."""
        with self._lock:
            return tuple(sorted((*self._records.values(), *self._namesakes), key=lambda r: r.name))

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of plugins that were installed, updated or removed since the start; it takes a restart to load
        them."""
        return installed.changed(self.records, self._given)

    @property
    def applications(self) -> Mapping[str, Application]:
        """The applications in service by id, in the order of plugin names."""
        return self._in_service(self._applications)

    @property
    def methods(self) -> Mapping[str, Method]:
        """The methods of learning by id: the built-in ones, then those of plugins in the order of their names."""
        return self._in_service(self._methods)

    def _in_service(self, owned: Mapping[str, tuple[Contribution, str]]) -> Mapping[str, Contribution]:
        with self._lock:
            return MappingProxyType(
                {
                    id_: each
                    for id_, (each, owner) in owned.items()
                    if owner == BUILT_IN or self._records[owner].state == "active"
                }
            )

    def votes(self, request: Request) -> list[Vote]:
        """What the plugins think of a request; votes for applications that are not there are left out."""
        ask = partial(self._ask, "vote_route", checked_vote, {"request": request}, many=True)
        votes = self._from_each("vote_route", self._settings.limits.vote_deadline, ask)
        known = self.applications
        return [vote for vote in votes if vote.application in known]

    def notices(self, request: Request, reply: Reply, engine: Engine) -> list[Notice]:
        """What the plugins remark under a finished reply."""
        given = {"request": request, "reply": reply, "engine": engine}
        ask = partial(self._ask, "review_message", checked_notice, given, many=False)
        return self._from_each("review_message", self._settings.limits.review_deadline, ask)

    def answer(
        self, application_id: str, request: Request, engine: Engine
    ) -> Generator[ReplyPart, None, None]:
        """The application's reply parts as it yields them. Close the iterator to stop the application.

        Raises InputError as the application raised it (it is about the visitor's message), UnsupportedTask (it is
        about the engine), and PluginError, which names the plugin, for everything else: what it raised, a wrong value,
        too late, out of service.
        """
        if application_id not in self._applications:
            raise PluginError(f"There is no application {application_id!r}.")
        application, name = self._applications[application_id]
        if (record := self._records[name]).state != "active":
            raise PluginError(f"{application.title} is out of service for now. {record.error}")
        limits = self._settings.limits
        ask = partial(_parts, application, request, engine)
        parts = stream(ask, limits.deadline, partial(self._recover, name), is_passing)
        try:
            with closing(parts):
                for count, part in enumerate(parts):
                    if count == limits.reply_parts:
                        raise PluginError(f"it gave more than {count} reply parts.")
                    yield checked_part(part)
        except (InputError, UnsupportedTask):
            raise
        except Exception as error:  # recorded, and passed on as a PluginError
            raise self._failure(name, "answer", limits.deadline, error) from error

    # --- loading --------------------------------------------------------------------------------------------

    def _disabled(self) -> frozenset[str]:
        try:
            return DisabledPlugins(self._settings.home).names()
        except AssistantError as error:
            # Better a plugin too many than no assistant; `assistant plugins` says the same.
            logger.warning("%s", error)
            return frozenset()

    def _add(self, point: EntryPoint, disabled: frozenset[str]) -> None:
        record = installed.record(point, self._settings, disabled)
        if first := self._records.get(point.name):
            error = f"There is a plugin {point.name!r} already, from {first.distribution or 'elsewhere'}."
            self._namesakes.append(replace(record, state="failed", error=error))
        elif record.state == "installed":
            self._records[point.name] = self._loaded(point, record)
        else:
            self._records[point.name] = record

    def _loaded(self, point: EntryPoint, record: PluginRecord) -> PluginRecord:
        """Import and register the plugin, its applications and its methods: all of it or nothing."""
        seconds = self._settings.limits.import_deadline
        try:
            hooks = self._register(point.name, call(point.load, seconds))
            ask = partial(self._ask, "register_applications", checked_application, {}, point.name, many=True)
            applications = _unique("application", call(ask, seconds), self._applications)
            ask_methods = partial(self._ask, "register_methods", checked_method, {}, point.name, many=True)
            methods = _unique("method", call(ask_methods, seconds), self._methods)
        except Exception as error:
            self._hooks.unregister(name=point.name)
            if self._settings.strict:
                raise
            logger.warning("The plugin %r could not be loaded.", point.name, exc_info=error)
            sentence = f"The plugin {point.name!r} could not be loaded: {_detail(error, seconds, quote=True)}"
            trace = "".join(traceback.format_exception(error))
            return replace(record, state="failed", error=sentence, traceback=trace)
        self._applications |= {id_: (application, point.name) for id_, application in applications.items()}
        self._methods |= {id_: (method, point.name) for id_, method in methods.items()}
        return replace(
            record, state="active", hooks=hooks, applications=tuple(applications), methods=tuple(methods)
        )

    def _register(self, name: str, plugin: object) -> tuple[str, ...]:
        """Take the plugin in; the names of the hooks that it implements."""
        self._hooks.register(plugin, name)
        hooks = tuple(sorted(caller.name for caller in self._hooks.get_hookcallers(plugin) or ()))
        if not hooks:
            raise PluginError(f"it implements no hook; there are {', '.join(self._known)}.")
        try:
            self._hooks.check_pending()
        except pluggy.PluginValidationError as error:
            unknown = next(hook for hook in hooks if hook not in self._known)
            near = difflib.get_close_matches(unknown, self._known, n=1, cutoff=0.0)
            raise PluginError(f"{unknown!r} is no hook; did you mean {near[0]!r}?") from error
        return hooks

    # --- calling --------------------------------------------------------------------------------------------

    def _from_each(self, hook: str, seconds: float, ask: Callable[[str], list[T]]) -> list[T]:
        """What each active plugin with this hook gives, one after the other, failures left out."""
        values: list[T] = []
        for record in self.records:
            if record.state != "active" or hook not in record.hooks:
                continue
            try:
                values += call(partial(ask, record.name), seconds, partial(self._recover, record.name))
            except Exception as error:  # noqa: BLE001  (where plugins are called; recorded)
                self._failure(record.name, hook, seconds, error)
        return values

    def _ask(
        self, hook: str, check: Callable[[object], T], given: Mapping[str, object], name: str, *, many: bool
    ) -> list[T]:
        """Call one hook of one plugin and check what it gives: `many` values in an iterable, or one."""
        others = [plugin for other, plugin in self._hooks.list_name_plugin() if other != name]
        results = self._hooks.subset_hook_caller(hook, others)(**given)
        if many:
            results = chain.from_iterable(map(_iterable, results))
        values = list(islice(results, MAX_VALUES + 1))
        if len(values) > MAX_VALUES:
            raise PluginError(f"it gave more than {MAX_VALUES} values.")
        return [check(value) for value in values]

    def _failure(self, name: str, doing: str, seconds: float, error: Exception) -> PluginError:
        """Log and record what went wrong in a call; the error to show for it. Raises it in strict mode."""
        logger.warning("The plugin %r failed in %s.", name, doing, exc_info=error)
        sentence = f"The plugin {name!r} failed in {doing}: {_detail(error, seconds, quote=False)}"
        trace = "".join((*traceback.format_tb(error.__traceback__), type(error).__name__))
        with self._lock:
            self._stuck[name] += isinstance(error, Overdue)
            self._records[name] = replace(self._records[name], error=sentence, traceback=trace)
            self._set_state(name)
        if self._settings.strict:
            raise error
        return PluginError(sentence)

    def _recover(self, name: str) -> None:
        """A stuck call has come back (perhaps even before `_failure` has counted it)."""
        with self._lock:
            self._stuck[name] -= 1
            self._set_state(name)

    def _set_state(self, name: str) -> None:
        state: PluginState = "failed" if self._stuck[name] > 0 else "active"
        self._records[name] = replace(self._records[name], state=state)


def _parts(application: Application, request: Request, engine: Engine) -> Iterable[ReplyPart]:
    return _iterable(application.answer(request, engine))


def _unique(
    kind: str, contributions: Iterable[Contribution], taken: Mapping[str, tuple[Contribution, str]]
) -> dict[str, Contribution]:
    """What a plugin brings, by id. Raises PluginError where an id is taken; it names who has it."""
    found: dict[str, Contribution] = {}
    for each in contributions:
        if each.id in found:
            raise PluginError(f"it brings two {kind}s with the id {each.id!r}.")
        if each.id in taken:
            owner = taken[each.id][1]
            by = "a built-in one" if owner == BUILT_IN else f"the plugin {owner!r}"
            raise PluginError(f"the {kind} id {each.id!r} is taken by {by}.")
        found[each.id] = each
    return found


def _iterable(values: Iterable[T]) -> Iterable[T]:
    if not isinstance(values, Iterable):
        raise PluginError(f"it gave a value of type {type(values).__name__} where an iterable is expected.")
    return values


def _detail(error: Exception, seconds: float, *, quote: bool) -> str:
    """What happened, for one sentence; only with `quote` in the words of a foreign exception."""
    if isinstance(error, Overdue):
        return f"it was not ready within {seconds:g} seconds."
    if isinstance(error, AssistantError):
        return str(error)
    if quote:
        lines = str(error).splitlines() or [""]
        return f"{type(error).__name__}: {lines[0].rstrip('.')}."
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}."
