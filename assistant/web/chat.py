"""The chat tab: its components, and what happens on each event.

The conversation is the browser's: every event brings it along and takes the changed one back, so two visitors
share nothing. Only the texts of attached documents, too large for that, wait in the state of one open page.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from html import escape, unescape
from typing import Any

import gradio as gr

from assistant.api.service import Service
from assistant.applications import Request
from assistant.conversation import clean
from assistant.web import render, storage
from assistant.web.attachments import Attached, Attachments, chips, index_of
from assistant.web.downloads import Downloads
from assistant.web.language import DEFAULT, Strings, strings_for
from assistant.web.lesson import Skill
from assistant.web.storage import JSON, Conversation
from assistant.web.visitors import visitor

logger = logging.getLogger(__name__)

AUTOMATIC = ""
MAX_EXAMPLES = 6  # of one application
MAX_APPLICATIONS = 9  # with an example each
# Back to the message box, unless that would open a keyboard on the screen.
_FOCUS = """
() => {
  if (matchMedia("(pointer: fine)").matches) document.querySelector("#message textarea")?.focus();
}
"""


class Chat:
    """The tab for one assistant, made inside a `gr.Blocks`; `language` is the page's language component, `own`
    the skills that its visitor has taught."""

    def __init__(self, service: Service, language: gr.State, own: gr.State) -> None:
        self.service = service
        self.assistant = assistant = service.assistant
        self.limits = assistant.settings.limits
        self.titles = {id_: application.title for id_, application in assistant.applications.items()}
        self.language = language
        self.own = own
        self._components()
        self._events()

    # --- components -----------------------------------------------------------------------------------------

    def _components(self) -> None:
        # A fixed secret: with Gradio's own, drawn at each start, a restart would lose what the browser keeps.
        # It hides nothing; the storage is the visitor's own.
        self.conversation = gr.BrowserState(None, storage_key="onebase-conversation", secret="onebase")  # noqa: S106
        self.library = gr.BrowserState([], storage_key="onebase-conversations", secret="onebase")  # noqa: S106
        self.attachments = Attachments(self.limits, self.conversation, self.language)
        self.downloads = Downloads(self.titles, self.conversation, self.language)
        with gr.Row(elem_id="chat", equal_height=False):
            with gr.Column(elem_id="shelf", scale=0, min_width=240):
                self.new = gr.Button(size="sm", elem_id="new")
                self.shelf = gr.Radio([], container=False, show_label=False, elem_id="conversations")
                self.delete = gr.Button(size="sm", elem_id="delete")
                self.shelf_note = gr.HTML(elem_classes="quiet-note")
            with gr.Column(elem_id="talk", scale=1, min_width=300):
                self.chatbot = gr.Chatbot(
                    elem_id="chatbot",
                    show_label=False,
                    container=False,
                    height="100%",
                    editable="user",
                    buttons=["copy"],
                    layout="bubble",
                    # Nobody's text is read as Markdown; what is left of HTML is escaped in `render`.
                    render_markdown=False,
                    sanitize_html=True,
                    allow_tags=False,
                    latex_delimiters=[],
                    group_consecutive_messages=False,
                    feedback_options=("Like", "Dislike"),
                )
                self.attachments.chips.render()
                with gr.Column(elem_id="composer"):
                    self.textbox = gr.Textbox(
                        elem_id="message",
                        show_label=False,
                        container=False,
                        lines=1,
                        max_lines=8,
                        autofocus=True,
                        submit_btn=True,
                        stop_btn=False,
                    )
                    with gr.Row(elem_id="tools"):
                        self.picker = gr.Dropdown(
                            self.choices(strings_for(DEFAULT), ()),
                            value=AUTOMATIC,
                            elem_id="picker",
                            container=False,
                            show_label=False,
                            scale=0,
                            min_width=180,
                        )
                        self.shortcuts = {
                            id_: gr.Button(
                                application.title, elem_id=f"to-{id_}", size="sm", scale=0, min_width=60
                            )
                            for id_, application in self.assistant.applications.items()
                            if application.shortcut
                        }
                        self.attachments.button.render()
                        self.downloads.markdown.render()
                        self.downloads.json.render()

    def texts(
        self, language: str, application: str, stored: JSON, library: JSON, own: Sequence[Skill]
    ) -> dict[gr.Component, Any]:
        """Every component's words in a language."""
        strings = strings_for(language)
        conversation = storage.from_json(stored)
        choices = self.choices(strings, own)
        chatbot = self._chatbot(conversation, application, strings)
        if not conversation.entries:
            # There is nothing to reword, and what is said before the load event is answered stays.
            del chatbot["value"]
        return {
            self.new: gr.update(value=strings("new")),
            self.delete: gr.update(value=strings("delete")),
            self.shelf: self._shelf(conversation, library, strings),
            self.shelf_note: f"<p>{escape(strings('kept_here'))}</p>",
            self.picker: gr.update(
                label=strings("application"),
                choices=choices,
                value=application if application in dict(choices).values() else AUTOMATIC,
            ),
            self.attachments.button: gr.update(label=strings("attach")),
            **self.downloads.texts(strings),
            self.textbox: self._placeholder(application, strings),
            self.chatbot: chatbot,
        }

    def choices(self, strings: Strings, own: Sequence[Skill]) -> list[tuple[str, str]]:
        """What the picker offers: (title, id) of every application, and of the visitor's own skills, which say their
        command too: nobody could guess it from the name."""
        installed = ((title, id_) for id_, title in self.titles.items())
        taught = ((f"{skill.title} /{skill.id}", skill.id) for skill in own)
        return [(strings("automatic"), AUTOMATIC), *installed, *taught]

    def _placeholder(self, application: str, strings: Strings) -> Any:
        """What the empty message box says: an example for the pinned application."""
        placeholder = strings("placeholder")
        if (pinned := self.assistant.applications.get(application)) and pinned.examples:
            example = " ".join(pinned.examples[0].split())
            placeholder = strings("placeholder_pinned", title=pinned.title, example=example)
        return gr.update(label=strings("message"), placeholder=placeholder)

    def _examples(self, application: str) -> list[dict[str, str]]:
        """The pinned application's examples, or one of each application."""
        if pinned := self.assistant.applications.get(application):
            chosen = [(pinned.title, example) for example in pinned.examples[:MAX_EXAMPLES]]
        else:
            applications = self.assistant.applications.values()
            chosen = [(a.title, a.examples[0]) for a in applications if a.examples][:MAX_APPLICATIONS]
        return [{"text": example, "display_text": f"{title}\n{example}"} for title, example in chosen]

    def _chatbot(self, conversation: Conversation, application: str, strings: Strings) -> dict[str, Any]:
        hint = strings("welcome_hint" if self.titles else "welcome_none")
        update: dict[str, Any] = gr.update(
            value=self._messages(conversation, strings),
            feedback_value=_feedback(conversation),
            examples=self._examples(application),
            placeholder=f"<h2>{escape(strings('welcome'))}</h2><p>{escape(hint)}</p>",
        )
        return update

    def _messages(
        self, conversation: Conversation, strings: Strings, *, streaming: bool = False
    ) -> list[dict[str, Any]]:
        """One message a turn, so that a message's index is its turn's."""
        messages: list[dict[str, Any]] = []
        last = len(conversation.entries) - 1
        for index, entry in enumerate(conversation.entries):
            if entry.reply is None:
                content = {"type": "text", "text": render.literal(entry.turn.text)}
                messages.append({"role": entry.turn.role, "content": [content]})
                continue
            stopped = not entry.reply.done and not (streaming and index == last)
            html = render.reply_html(entry.reply, self.titles, strings, stopped=stopped)
            options = [
                {"label": option.label, "value": option.message} for option in render.suggestions(entry.reply)
            ]
            messages.append(
                {"role": "assistant", "content": [gr.HTML(html, render=False)], "options": options}
            )
        return messages

    def _shelf(self, conversation: Conversation, library: JSON, strings: Strings) -> Any:
        titles = storage.titles(library, strings("untitled"))
        ids = {id_ for _, id_ in titles}
        value = conversation.id if conversation.id in ids else None
        return gr.update(label=strings("conversations"), choices=titles, value=value)

    # --- events ---------------------------------------------------------------------------------------------

    def _events(self) -> None:
        private = {"api_visibility": "private", "show_progress": "hidden"}
        quick = {**private, "queue": False}
        # What may have to tell the person something goes through the queue: only from there do toasts arrive.
        saying = {**private, "concurrency_limit": None}
        here = [self.conversation, self.language]
        prepared = [self.conversation, self.textbox]
        kept = [self.library, self.shelf, self.textbox]
        replies = []
        for event in (
            self.textbox.submit(self._say, [self.textbox, *here], prepared, **saying),
            *(
                button.click(partial(self._say_to, id_), [self.textbox, *here], prepared, **saying)
                for id_, button in self.shortcuts.items()
            ),
            self.chatbot.example_select(self._say_example, here, prepared, **saying),
            self.chatbot.option_select(self._say_option, here, prepared, **saying),
            self.chatbot.retry(self._retry, here, prepared, **saying),
            self.chatbot.edit(self._edit, here, prepared, **saying),
        ):
            reply = event.then(
                self._reply,
                [self.conversation, self.picker, self.attachments.documents, self.language, self.own],
                [self.chatbot, self.conversation, self.textbox],
                concurrency_id="reply",
                **private,
            )
            reply.then(self._keep, [*here, self.library], kept, **quick).then(None, js=_FOCUS)
            replies.append(reply)
        # First the end of the stream, then what is left of it: a late part would overwrite "Stopped".
        self.textbox.stop(None, cancels=replies, **quick).then(
            self._stop, [*here, self.library], [self.chatbot, *kept], **quick
        )
        # Leaving a conversation ends the reply that is still coming.
        gr.on([self.new.click, self.shelf.input, self.delete.click], None, cancels=replies)

        self.chatbot.undo(self._undo, [*here, self.picker], [self.chatbot, *prepared], **quick)
        self.attachments.connect()
        self.chatbot.like(self._like, self.conversation, self.conversation, **quick)

        opened = [self.conversation, self.chatbot, self.attachments.chips, *kept]
        bring = [self.conversation, self.library, self.attachments.documents, self.picker, self.language]
        self.new.click(self._new, bring, opened, **quick)
        self.shelf.input(self._open, [self.shelf, *bring], opened, **quick)
        self.delete.click(self._delete, bring, opened, **quick)

        self.picker.input(self._pick, [*here, self.picker], [self.textbox, self.chatbot], **quick)
        self.downloads.connect()

    # Saying something: each of these leaves a conversation whose last message waits for its reply.

    def _say(self, message: str, stored: JSON, language: str) -> tuple[Any, Any]:
        conversation = storage.from_json(stored)
        strings = strings_for(language)
        if not message.strip():
            gr.Info(strings("empty_message"))
            return gr.skip(), gr.skip()
        if len(message) > self.limits.message_characters:
            gr.Warning(
                strings(
                    "message_too_long",
                    count=strings.number(len(message)),
                    limit=strings.number(self.limits.message_characters),
                )
            )
            return gr.skip(), gr.skip()
        if conversation.full:
            gr.Warning(strings("conversation_full"))
            return gr.skip(), gr.skip()
        return storage.to_json(conversation.said(clean(message))), ""

    def _say_to(self, application: str, message: str, stored: JSON, language: str) -> tuple[Any, Any]:
        return self._say(f"/{application} {message}" if message.strip() else "", stored, language)

    def _say_example(self, stored: JSON, language: str, event: gr.SelectData) -> tuple[Any, Any]:
        return self._say(str(event.value["text"]), stored, language)

    def _say_option(self, stored: JSON, language: str, event: gr.SelectData) -> tuple[Any, Any]:
        return self._say(str(event.value), stored, language)

    def _retry(self, stored: JSON, language: str, event: gr.RetryData) -> tuple[Any, Any]:
        conversation, message = storage.from_json(stored).before(index_of(event.index))
        return self._say(message, storage.to_json(conversation), language)

    def _edit(self, stored: JSON, language: str, event: gr.EditData) -> tuple[Any, Any]:
        conversation, _ = storage.from_json(stored).before(index_of(event.index))
        return self._say(unescape(str(event.value)), storage.to_json(conversation), language)

    def _reply(
        self,
        stored: JSON,
        application: str,
        documents: Attached,
        language: str,
        own: Sequence[Skill],
        http: gr.Request,
    ) -> Iterator[tuple[Any, Any, Any]]:
        """Answer the message that waits, showing the reply as it grows."""
        conversation = storage.from_json(stored)
        if not conversation.pending:
            yield gr.skip(), gr.skip(), gr.skip()  # a generator that yields nothing would empty the page
            return
        strings = strings_for(language)
        busy = gr.update(interactive=False, submit_btn=False, stop_btn=True)
        yield self._messages(conversation, strings), gr.skip(), busy
        *history, turn = conversation.turns
        request = Request(
            turn.text,
            tuple(history),
            tuple(documents.get(conversation.id, ())),
            application or None,
            language,
            skills=tuple(skill.application() for skill in own),
        )
        with closing(self.service.admitted(request, visitor(self.service, http))) as replies:
            for reply in replies:
                conversation = conversation.answered(reply)
                messages = self._messages(conversation, strings, streaming=True)
                yield messages, storage.to_json(conversation), gr.skip()

    def _keep(self, stored: JSON, language: str, library: JSON) -> tuple[Any, Any, Any]:
        """The reply is there, or is given up: store the conversation and let the person write again."""
        conversation = storage.from_json(stored)
        library = storage.remember(library, conversation)
        return self._shelved(conversation, library, strings_for(language))

    def _shelved(self, conversation: Conversation, library: JSON, strings: Strings) -> tuple[Any, Any, Any]:
        """The library, the shelf that shows it, and the message box ready for writing."""
        shelf = self._shelf(conversation, library, strings)
        return library, shelf, gr.update(interactive=True, submit_btn=True, stop_btn=False)

    def _stop(self, stored: JSON, language: str, library: JSON) -> tuple[Any, Any, Any, Any]:
        """What `_keep` does, with the reply marked as stopped."""
        messages = self._messages(storage.from_json(stored), strings_for(language))
        return messages, *self._keep(stored, language, library)

    def _undo(
        self, stored: JSON, language: str, application: str, event: gr.UndoData
    ) -> tuple[Any, Any, str]:
        """Take the last exchange back; its message returns to the message box."""
        conversation, message = storage.from_json(stored).before(index_of(event.index))
        chatbot = self._chatbot(conversation, application, strings_for(language))
        return chatbot, storage.to_json(conversation), message

    def _like(self, stored: JSON, event: gr.LikeData) -> JSON:
        """Keep the opinion with the conversation; the log gets it without the words."""
        index = index_of(event.index)
        conversation = storage.from_json(stored)
        liked = event.liked if isinstance(event.liked, bool) else None
        conversation = conversation.liked(index, liked)
        if 0 <= index < len(conversation.entries):
            logger.info("A reply of %s: liked=%s.", conversation.entries[index].turn.application, liked)
        return storage.to_json(conversation)

    # The shelf: all conversations of this browser.

    def _show(
        self, conversation: Conversation, library: JSON, documents: Attached, application: str, language: str
    ) -> tuple[Any, ...]:
        strings = strings_for(language)
        return (
            storage.to_json(conversation),
            self._chatbot(conversation, application, strings),
            chips(documents.get(conversation.id, ()), strings),
            *self._shelved(conversation, library, strings),
        )

    def _new(self, stored: JSON, library: JSON, *rest: Any) -> tuple[Any, ...]:
        return self._show(Conversation(), storage.remember(library, storage.from_json(stored)), *rest)

    def _open(self, id_: str, stored: JSON, library: JSON, *rest: Any) -> tuple[Any, ...]:
        library = storage.remember(library, storage.from_json(stored))
        return self._show(storage.find(library, id_), library, *rest)

    def _delete(self, stored: JSON, library: JSON, *rest: Any) -> tuple[Any, ...]:
        return self._show(Conversation(), storage.forget(library, storage.from_json(stored).id), *rest)

    def _pick(self, stored: JSON, language: str, application: str) -> tuple[Any, Any]:
        strings = strings_for(language)
        return self._placeholder(application, strings), gr.update(examples=self._examples(application))


def _feedback(conversation: Conversation) -> list[str | None]:
    """The opinions in the form of Gradio's chatbot: one for each reply."""
    names = {True: "Like", False: "Dislike", None: None}
    return [names[entry.liked] for entry in conversation.entries if entry.turn.role == "assistant"]
