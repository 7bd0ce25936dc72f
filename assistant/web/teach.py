"""The Teach tab: a visitor's own examples become a skill, while the ladder of methods grows before their eyes.

Everything a visitor brings or makes belongs to one open page: the files lie in a folder that goes with its session,
and the saved skills are in its state only.
"""

from __future__ import annotations

import base64
import logging
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.applications import Request
from assistant.conversation import clean
from assistant.core import Assistant
from assistant.errors import AssistantError
from assistant.sentences import say
from assistant.web import render
from assistant.web.language import Strings, strings_for
from assistant.web.lesson import METHODS, Lesson, Skill, Step, read_pasted
from assistant.workshop import plot
from assistant.workshop.dataset import Dataset, slug
from assistant.workshop.ladder import Rung
from assistant.workshop.methods.zero_shot import entailment_adapter

logger = logging.getLogger(__name__)

# Something to begin with for who has no examples at hand.
SAMPLE = Path(__file__).parent / "sample.txt"
MAX_SKILLS = 8
MAX_NAME = 40
# An accuracy on fewer rows says little, and it is said that it does.
FEW = 30
Updates = dict[gr.components.Component, Any]


@dataclass(frozen=True)
class Session:
    """What one open page has made: its folder, how many lessons there were, the latest one's outcomes and skill."""

    folder: Path
    lessons: int = 0
    outcomes: tuple[Rung, ...] = ()
    skill: Skill | None = None


class Teach:
    """The tab for one assistant, made inside a `gr.Blocks`. `own` is the page's state that holds the saved skills,
    `picker` the chat's list of applications. On a `public` page the tab says only why it is off."""

    def __init__(self, assistant: Assistant, language: gr.Radio, own: gr.State, *, public: bool) -> None:
        self.assistant = assistant
        self.language = language
        self.own = own
        self.public = public
        self.intro = gr.HTML(elem_id="teach-intro", apply_default_css=False)
        if public:
            return
        limits = assistant.settings.limits
        self._slots = threading.BoundedSemaphore(limits.trainings)
        self._root = Path(tempfile.mkdtemp(prefix="onebase-teach-"))
        # The folder goes with this object, at the latest when the process ends.
        weakref.finalize(self, shutil.rmtree, self._root, ignore_errors=True)
        self._components()

    def _components(self) -> None:
        # Without a time to live, which Gradio counts from the last change: the files of a saved skill would go.
        self.session = gr.State(None, delete_callback=_forget)
        with gr.Row(elem_id="teach", equal_height=False):
            with gr.Column(scale=2, min_width=300):
                self.examples = gr.Textbox(lines=12, max_lines=20, elem_id="teach-examples")
                with gr.Row():
                    self.upload = gr.UploadButton(elem_id="teach-upload", size="sm", min_width=60)
                    self.sample = gr.Button(elem_id="teach-sample", size="sm", min_width=60)
                    self.check = gr.Button(elem_id="teach-check", size="sm", min_width=60)
                self.name = gr.Textbox(max_length=MAX_NAME, elem_id="teach-name")
                with gr.Row():
                    self.start = gr.Button(variant="primary", elem_id="teach-start", min_width=60)
                    self.stop = gr.Button(elem_id="teach-stop", visible=False, min_width=60)
                self.findings = gr.HTML(elem_id="teach-findings", apply_default_css=False)
            with gr.Column(scale=3, min_width=300):
                self.ladder = gr.HTML(elem_id="teach-ladder", apply_default_css=False)
                self.plot = gr.HTML(elem_id="teach-plot", apply_default_css=False)
                with gr.Column(visible=False, elem_id="teach-result") as self.result:
                    self.message = gr.Textbox(elem_id="teach-try", submit_btn=True)
                    self.answer = gr.HTML(elem_id="teach-answer", apply_default_css=False)
                    with gr.Row():
                        self.save = gr.Button(variant="primary", elem_id="teach-save", min_width=60)
                        self.download = gr.DownloadButton(elem_id="teach-download", min_width=60)

    def connect(
        self, picker: gr.Dropdown, choices: Callable[[Strings, Sequence[Skill]], list[tuple[str, str]]]
    ) -> None:
        """Add the events. `choices(strings, skills)` are those of the chat's picker."""
        if self.public:
            return
        self._choices = choices
        private = {"api_visibility": "private", "show_progress": "hidden"}
        saying = {**private, "concurrency_limit": None}
        given = [self.examples, self.name, self.session, self.language]
        self.upload.upload(self._upload, [self.upload, self.language], [self.examples], **saying).success(
            self._check, given, [self.findings, self.session], **saying
        )
        self.sample.click(lambda: SAMPLE.read_text(encoding="utf-8"), None, [self.examples], **saying).then(
            self._check, given, [self.findings, self.session], **saying
        )
        self.check.click(self._check, given, [self.findings, self.session], **saying)
        ready = [self.start, self.stop, self.result, self.download, self.ladder]
        shown = [*ready, self.plot, self.findings, self.session]
        teaching = self.start.click(
            self._teach, [*given, self.own], [*shown, self.answer, self.message], **saying
        )
        self.stop.click(None, cancels=[teaching], **private, queue=False).then(
            self._stopped, [self.session, self.language], ready, **private, queue=False
        )
        self.message.submit(
            self._try,
            [self.message, self.session, self.language],
            [self.answer],
            concurrency_id="reply",
            **private,
        )
        self.save.click(self._save, [self.session, self.own, self.language], [self.own, picker], **saying)

    def texts(self, language: str) -> dict[gr.components.Component, Any]:
        """Every component's words in a language."""
        strings = strings_for(language)
        said = strings("teach_public" if self.public else "teach_intro")
        words: dict[gr.components.Component, Any] = {self.intro: f"<p>{escape(said)}</p>"}
        if self.public:
            return words
        return words | {
            self.examples: gr.update(
                label=strings("teach_examples"), placeholder=strings("teach_placeholder")
            ),
            self.upload: gr.update(label=strings("teach_upload")),
            self.sample: gr.update(value=strings("teach_sample")),
            self.check: gr.update(value=strings("teach_check")),
            self.name: gr.update(label=strings("teach_name"), placeholder=strings("teach_unnamed")),
            self.start: gr.update(value=strings("teach_start")),
            self.stop: gr.update(value=strings("teach_stop")),
            self.message: gr.update(label=strings("teach_try")),
            self.save: gr.update(value=strings("teach_save")),
            self.download: gr.update(label=strings("teach_download")),
        }

    # --- events ---------------------------------------------------------------------------------------------

    def _upload(self, file: str | None, language: str) -> Any:
        """The file's text, in the box where it can be read and changed."""
        if not file:
            return gr.skip()
        path, limit, strings = Path(file), self.assistant.settings.limits.taught_bytes, strings_for(language)
        if path.stat().st_size > limit:
            gr.Warning(strings("teach_too_large", megabytes=strings.number(limit / 1e6)))
            return gr.skip()
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            gr.Warning(strings("teach_not_text"))
            return gr.skip()

    def _check(self, text: str, name: str, session: Session | None, language: str) -> tuple[str, Session]:
        session, strings = session or self._new_session(), strings_for(language)
        try:
            return findings_html(self._read(text, name, session, strings), strings), session
        except AssistantError as error:
            return _problem(str(error)), session

    def _teach(
        self, text: str, name: str, session: Session | None, language: str, own: Sequence[Skill]
    ) -> Iterator[Updates]:
        """Check the examples, then run the methods; the page is updated at every step."""
        strings = strings_for(language)
        session = session or self._new_session()
        _tidy(session, own)
        session = replace(session, lessons=session.lessons + 1, outcomes=(), skill=None)
        empty = dict.fromkeys((self.ladder, self.plot, self.answer, self.message), "")
        hidden = {**empty, self.result: gr.update(visible=False)}
        try:
            dataset = self._read(text, name, session, strings)
        except AssistantError as error:
            yield {self.findings: _problem(str(error)), self.session: session, **hidden}
            return
        yield {self.findings: findings_html(dataset, strings), self.session: session, **hidden}
        entailment = entailment_adapter(self.assistant.applications, self.assistant.engine)
        if not self._slots.acquire(blocking=False):
            yield {self.ladder: _problem(strings("teach_busy"))}
            return
        # From here on the lesson gives the slot back, whatever happens to this generator.
        lesson = Lesson(
            dataset,
            [self.assistant.plugins.methods[id_] for id_ in METHODS],
            self.assistant.engine,
            _folder(session),
            entailment,
            self.assistant.settings.limits.taught_seconds,
            self._slots.release,
        )
        with lesson:
            yield {self.start: gr.update(interactive=False), self.stop: gr.update(visible=True)}
            try:
                for event in lesson.events():
                    step = event if isinstance(event, Step) else None
                    if isinstance(event, Rung):
                        title = name.strip() or strings("teach_unnamed")
                        session = self._with(session, event, dataset, title)
                        yield {self.plot: plot_html(session.outcomes, strings)}
                    yield {self.ladder: ladder_html(session.outcomes, step, strings), self.session: session}
            except Exception as error:  # noqa: BLE001  (told; the tab stays of use)
                yield {self.findings: _problem(_reason(error, strings))}
        if lesson.overdue:
            yield {self.findings: _problem(strings("teach_overdue"))}
        yield self._ready(session, strings)

    def _stopped(self, session: Session | None, language: str) -> Updates:
        """What is there when the person has stopped it."""
        if session is None:
            return {}
        strings = strings_for(language)
        ready = self._ready(session, strings)
        note = f'<p class="quiet">{escape(strings("stopped"))}</p>'
        return {**ready, self.ladder: ready[self.ladder] + note}

    def _ready(self, session: Session, strings: Strings) -> Updates:
        """The page when nothing runs any more: what was made can be tried, saved and taken away."""
        skill, archive, problem = session.skill, None, ""
        try:
            archive = str(skill.archive()) if skill else None
        except Exception as error:  # noqa: BLE001  (told; the skill can be tried and saved all the same)
            problem = _problem(_reason(error, strings))
        return {
            self.start: gr.update(interactive=True),
            self.stop: gr.update(visible=False),
            self.result: gr.update(visible=skill is not None),
            self.download: gr.update(value=archive, interactive=archive is not None),
            self.ladder: ladder_html(session.outcomes, None, strings) + problem,
        }

    def _try(self, message: str, session: Session | None, language: str) -> str:
        strings = strings_for(language)
        if session is None or session.skill is None or not message.strip():
            return ""
        skill = session.skill
        request = Request(
            clean(message), application=skill.id, language=language, skills=(skill.application(),)
        )
        *_, reply = self.assistant.reply(request)
        return render.reply_html(reply, {skill.id: skill.title}, strings)

    def _save(self, session: Session | None, own: Sequence[Skill], language: str) -> tuple[Any, Any]:
        """Put the skill among the visitor's own, and choose it in the chat."""
        strings = strings_for(language)
        if session is None or session.skill is None:
            return gr.skip(), gr.skip()
        skill = session.skill
        others = [each for each in own if each.id != skill.id]
        skills = (*others, skill)[-MAX_SKILLS:]
        gr.Info(escape(strings("teach_saved", title=skill.title, command=f"/{skill.id}")))
        return skills, gr.update(choices=self._choices(strings, skills), value=skill.id)

    # --- sessions -------------------------------------------------------------------------------------------

    def _new_session(self) -> Session:
        return Session(Path(tempfile.mkdtemp(dir=self._root)))

    def _read(self, text: str, name: str, session: Session, strings: Strings) -> Dataset:
        folder, limits = _folder(session), self.assistant.settings.limits
        folder.mkdir(parents=True, exist_ok=True)
        title = slug(name or strings("teach_unnamed"))
        return read_pasted(text, folder, title, limits.taught_bytes, limits.taught_rows)

    def _with(self, session: Session, rung: Rung, dataset: Dataset, title: str) -> Session:
        """The session with one more outcome, and the skill when there is an adapter."""
        session = replace(session, outcomes=(*session.outcomes, rung))
        if rung.adapter is None:
            return session
        # Short enough for a plugin's name, with another "-2" too.
        id_ = f"my-{slug(title)[: MAX_NAME - 5]}".rstrip("-")
        while id_ in self.assistant.applications:
            id_ += "-2"
        return replace(
            session, skill=Skill(id_, title, dataset.fields, dataset.labels, rung.adapter, dataset.train)
        )


def _folder(session: Session) -> Path:
    return session.folder / f"lesson-{session.lessons}"


def _tidy(session: Session, own: Sequence[Skill]) -> None:
    """Remove the latest lesson's files, unless its skill was saved."""
    if not any(skill.adapter.is_relative_to(_folder(session)) for skill in own):
        shutil.rmtree(_folder(session), ignore_errors=True)


def _forget(session: Session | None) -> None:
    """The session has ended: its files go."""
    if session is not None:
        shutil.rmtree(session.folder, ignore_errors=True)


# --- what it looks like -------------------------------------------------------------------------------------


def findings_html(dataset: Dataset, strings: Strings) -> str:
    """The data check: what there is, and each warning."""
    found = strings(
        "teach_found",
        rows=strings.number(len(dataset.train)),
        dev=strings.number(len(dataset.dev)),
        labels=", ".join(dataset.labels),
    )
    warnings = "".join(f"<li>{escape(warning.said(strings.language))}</li>" for warning in dataset.warnings)
    return f"<p>{escape(found)}</p>" + (f'<ul class="warnings">{warnings}</ul>' if warnings else "")


def ladder_html(outcomes: Sequence[Rung], step: Step | None, strings: Strings) -> str:
    """The table so far, and the method that is running."""
    heads = "".join(
        f'<th scope="col">{escape(strings(f"ladder_{name}"))}</th>'
        for name in ("method", "accuracy", "parameters", "bytes", "seconds", "latency")
    )
    rows = "".join(_row(outcome, strings) for outcome in outcomes)
    if step:
        rows += _running(step, strings)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="table" tabindex="0">{table}</div>'


def plot_html(outcomes: Sequence[Rung], strings: Strings) -> str:
    """The plot of what is there so far, as an image within the page."""
    records = [outcome.record for outcome in outcomes if outcome.record]
    if not records:
        return ""
    image = base64.b64encode(plot.image(records, "svg")).decode("ascii")
    return f'<img alt="{escape(strings("ladder_plot"))}" src="data:image/svg+xml;base64,{image}">'


def _row(outcome: Rung, strings: Strings) -> str:
    title = f'<th scope="row">{escape(outcome.method.title)}</th>'
    record = outcome.record
    if record is None:
        return f'<tr>{title}<td colspan="5">{escape(outcome.error)}</td></tr>'
    accuracy = record.accuracy
    interval = f"({strings.number(accuracy.low, 2)} – {strings.number(accuracy.high, 2)})"
    few = f" {strings('ladder_few', rows=record.dev_rows)}" if record.dev_rows < FEW else ""
    cells = (
        f"{strings.number(accuracy.value, 2)} {interval}{few}",
        strings.number(record.parameters),
        strings.number(record.bytes),
        strings.number(record.seconds, 1),
        strings.number(record.latency, 1),
    )
    return f"<tr>{title}{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _running(step: Step, strings: Strings) -> str:
    left = (
        strings("teach_left", seconds=strings.number(step.seconds_left))
        if step.seconds_left is not None
        else ""
    )
    bar = f'<progress max="1" value="{step.fraction:.3f}"></progress>'
    title = escape(step.method.title)
    return f'<tr class="running"><th scope="row">{title}</th><td colspan="5">{bar} {escape(left)}</td></tr>'


def _reason(error: Exception, strings: Strings) -> str:
    """What went wrong, for a person; a defect is logged and told without detail."""
    if isinstance(error, AssistantError):
        return str(error)
    logger.error("A lesson went wrong.", exc_info=error)
    system = isinstance(error, OSError) and error.strerror
    return f"{system}." if system else say("defect", strings.language)


def _problem(sentence: str) -> str:
    return f'<p class="problem">{escape(sentence)}</p>'
