"""The plugins tab: what is installed, what each adapter is, and what failed."""

from __future__ import annotations

import logging
import statistics
import threading
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from assistant.applications import Application, Reply, Request
from assistant.core import Assistant
from assistant.engine.base import AdapterInfo
from assistant.errors import AssistantError
from assistant.installed import PluginRecord
from assistant.measurements import Measurement, data_sets, main_figures, measurements, told
from assistant.web.language import Strings, strings_for
from assistant.web.render import definitions, readable

logger = logging.getLogger(__name__)

# Answers to the first example per application; the first one, which loads the adapter, does not count.
RUNS = 6
# A card names so many labels, or of more than that the first ones.
MAX_LABELS, FIRST_LABELS = 8, 3


class Plugins:
    """The tab for one assistant, made inside a `gr.Blocks`.

    On a `public` page errors, which name files, are left out, and nobody can have the machine measured.
    """

    def __init__(self, assistant: Assistant, language: gr.State, *, public: bool) -> None:
        self.assistant = assistant
        self.public = public
        self.measured: dict[str, float] | None = (
            None  # milliseconds by application id; of the machine, not a visitor
        )
        self._measuring = threading.Lock()
        self.applications = gr.HTML(elem_id="applications", apply_default_css=False)
        self.measure = gr.Button(elem_id="measure", size="sm", visible=not public)
        self.plugins = gr.HTML(elem_id="plugins", apply_default_css=False)
        if not public:
            self.measure.click(
                self._measure, language, self.applications, concurrency_limit=1, api_visibility="private"
            )

    def texts(self, language: str) -> dict[gr.Component, Any]:
        """Every component's words in a language."""
        strings = strings_for(language)
        return {
            self.applications: self._applications(strings),
            self.measure: gr.update(value=strings("measure")),
            self.plugins: self._plugins(strings),
        }

    def _applications(self, strings: Strings) -> str:
        base = self.assistant.engine.info
        hint = strings(
            "applications_hint",
            base=base.name,
            quantization=base.quantization,
            megabytes=strings.number(base.bytes / 1e6, 1),
        )
        cards = [self._card(application, strings) for application in self.assistant.applications.values()]
        return (
            f"<h2>{escape(strings('installed_applications'))}</h2><p>{escape(hint)}</p>"
            f'<div class="cards">{"".join(cards)}</div>'
        )

    def _plugins(self, strings: Strings) -> str:
        plugins = self.assistant.plugins
        # What is installed on the machine is nothing for strangers.
        changed = () if self.public else plugins.changed
        return plugins_html(plugins.records, strings, errors=not self.public, changed=changed)

    def _card(self, application: Application, strings: Strings) -> str:
        info: AdapterInfo | None = None
        error = ""
        if application.adapter is not None:
            try:
                info = self.assistant.engine.adapter(application.adapter)
            except AssistantError as reason:
                error = strings("adapter_error") + ("" if self.public else f" {reason}")
        return application_html(application, info, error, self._latency(application.id, strings), strings)

    def _latency(self, application: str, strings: Strings) -> str:
        if self.measured is None:
            return strings("latency_unknown")
        if application not in self.measured:
            return strings("latency_none")
        return strings("latency_value", value=strings.number(self.measured[application], 1))

    def _measure(self, language: str) -> str:
        """Answer each application's first example a few times; the median, as a person waits for it."""
        with self._measuring:
            measured = {}
            for application in self.assistant.applications.values():
                replies = [self._answered(application) for _ in range(RUNS)][1:]
                if times := [reply.milliseconds for reply in replies if reply and not reply.failed]:
                    measured[application.id] = statistics.median(times)
            self.measured = measured
        return self._applications(strings_for(language))

    def _answered(self, application: Application) -> Reply | None:
        if not application.examples:
            return None
        request = Request(application.examples[0], application=application.id)
        return list(self.assistant.reply(request))[-1]


def application_html(
    application: Application, info: AdapterInfo | None, error: str, latency: str, strings: Strings
) -> str:
    """One application's card."""
    rows: list[tuple[str, str]] = [(strings("task"), application.task)]
    more = ""
    if info:
        measured = measurements(info.metrics)
        rows += [
            (strings("labels"), _labels(info.labels, strings)),
            (strings("measured"), "\n".join(_main_figures(measured, strings)) or strings("unknown")),
            (strings("latency"), latency),
        ]
        size = strings(
            "size_value",
            parameters=strings.number(info.parameters),
            megabytes=strings.number(info.bytes / 1e6, 1),
        )
        folded = [
            (strings("method"), info.method),
            (strings("size"), size),
            (strings("data"), data_sets(info.data) or strings("unknown")),
            (strings("licence"), info.licence or strings("unknown")),
            (strings("figures"), "\n".join(_all_figures(measured, strings)) or strings("unknown")),
        ]
        more = f"<details><summary>{escape(strings('more'))}</summary>{definitions(folded)}</details>"
    else:
        rows += [(strings("adapter"), strings("no_adapter")), (strings("latency"), latency)]
    problem = f'<p class="problem">{escape(error)}</p>' if error else ""
    return (
        f'<section class="card"><h3>{escape(application.title)} <code>/{escape(application.id)}</code></h3>'
        f"<p>{escape(application.description)}</p>{problem}{definitions(rows)}{more}</section>"
    )


def plugins_html(
    records: tuple[PluginRecord, ...], strings: Strings, *, errors: bool, changed: Sequence[str] = ()
) -> str:
    """The table of plugins, whatever their state; `errors` says whether what went wrong is told too.

    `changed` are plugins that have come, gone or been updated since these were loaded.
    """
    notice = ""
    if changed:
        said = strings("plugins_changed", names=", ".join(changed))
        notice = f'<p class="problem" role="status">{escape(said)}</p>'
    heads = "".join(
        f'<th scope="col">{escape(strings(key))}</th>' for key in ("name", "version", "hooks", "state")
    )
    rows = "".join(_row(record, strings, errors=errors) for record in records)
    return (
        f"<h2>{escape(strings('installed_plugins'))}</h2><p>{escape(strings('plugins_hint'))}</p>{notice}"
        f'<div class="table" tabindex="0"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(record: PluginRecord, strings: Strings, *, errors: bool) -> str:
    state = f'<span class="state {record.state}">{escape(strings(f"state_{record.state}"))}</span>'
    if record.error and errors:
        trace = f"<pre>{escape(record.traceback)}</pre>" if record.traceback else ""
        error = f"<p>{escape(record.error)}</p>{trace}"
        state += f"<details><summary>{escape(strings('error'))}</summary>{error}</details>"
    distribution = f"<small>{escape(record.distribution)}</small>" if record.distribution else ""
    version, hooks = record.version or "–", ", ".join(record.hooks) or "–"
    return (
        f'<tr><th scope="row">{escape(record.name)}{distribution}</th><td>{escape(version)}</td>'
        f"<td>{escape(hooks)}</td><td>{state}</td></tr>"
    )


def _main_figures(measured: Sequence[Measurement], strings: Strings) -> Iterator[str]:
    """One line a source: its first figure."""
    for source, figure in main_figures(measured):
        yield told(source, [figure], strings.number, strings("interval_to"))


def _all_figures(measured: Sequence[Measurement], strings: Strings) -> Iterator[str]:
    """One line a source: all its figures."""
    for each in measured:
        rows = strings("rows", count=strings.number(each.rows))
        source = f"{each.source} ({rows})" if each.source else ""
        yield told(source, each.figures, strings.number, strings("interval_to"))


def _labels(labels: Sequence[str], strings: Strings) -> str:
    """The labels, or of many how many there are and the first ones: a tagger may have hundreds."""
    if len(labels) <= MAX_LABELS:
        return ", ".join(map(readable, labels))
    first = ", ".join(map(readable, labels[:FIRST_LABELS]))
    return strings("labels_many", count=strings.number(len(labels)), labels=first)
