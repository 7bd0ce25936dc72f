"""Attached documents: the button that takes files, the chips that show them, and their texts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, TypeAlias

import gradio as gr

from assistant.applications import Document
from assistant.documents import read_document
from assistant.errors import DocumentError
from assistant.settings import Limits
from assistant.web import storage
from assistant.web.language import Strings, strings_for
from assistant.web.storage import JSON

# Documents by the id of the conversation that they were attached to.
Attached: TypeAlias = dict[str, tuple[Document, ...]]

_REMOVE = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-index]");
  if (button) trigger("remove", { index: Number(button.dataset.index) });
});
"""


class Attachments:
    """The components, not yet placed: who lays out the page puts `button` and `chips` in their places."""

    def __init__(self, limits: Limits, conversation: gr.BrowserState, language: gr.Radio) -> None:
        self.limits = limits
        # Without a time to live, which Gradio counts from the last change: an open page would lose its documents.
        self.documents = gr.State({})
        self.chips = gr.HTML(
            elem_id="chips", js_on_load=_REMOVE, apply_default_css=False, visible=False, render=False
        )
        # No `file_types`: Gradio's own refusal shows a file's name as HTML; `read_document` refuses in text.
        self.button = gr.UploadButton(
            elem_id="attach",
            file_count="multiple",
            size="sm",
            scale=0,
            min_width=60,
            render=False,
        )
        self.conversation = conversation
        self.language = language

    def connect(self) -> None:
        """Add the events, once the components are placed."""
        here = [self.documents, self.conversation, self.language]
        private = {"api_visibility": "private", "show_progress": "hidden"}
        # The id first, at once: reading takes its time, and what is said meanwhile has to stay.
        self.button.upload(self._begun, self.conversation, self.conversation, **private, queue=False).then(
            self._attach, [self.button, *here], [self.documents, self.chips], **private
        )
        self.chips.remove(self._remove, here, [self.documents, self.chips], **private, queue=False)

    def _begun(self, stored: JSON) -> Any:
        """A new conversation gets its id, for the documents to hang on; any other stays as it is."""
        conversation = storage.from_json(stored)
        return gr.skip() if storage.is_current(stored, conversation) else storage.to_json(conversation)

    def _attach(
        self, files: Sequence[str] | None, documents: Attached, stored: JSON, language: str
    ) -> tuple[Attached, Any]:
        """Read the files as documents of this conversation; what cannot be read is said and left out."""
        conversation, strings = storage.from_json(stored), strings_for(language)
        attached = list(documents.get(conversation.id, ()))
        for path in map(Path, files or ()):
            if len(attached) >= self.limits.documents:
                gr.Warning(strings("too_many_documents", limit=self.limits.documents))
                break
            try:
                attached.append(read_document(path, self.limits, path.name))
            except DocumentError as error:
                gr.Warning(escape(str(error)))
        return {**documents, conversation.id: tuple(attached)}, chips(attached, strings)

    def _remove(
        self, documents: Attached, stored: JSON, language: str, event: gr.EventData
    ) -> tuple[Attached, Any]:
        id_ = storage.from_json(stored).id
        kept = list(documents.get(id_, ()))
        if 0 <= (index := index_of(event.index)) < len(kept):
            del kept[index]
        return {**documents, id_: tuple(kept)}, chips(kept, strings_for(language))


def chips(documents: Sequence[Document], strings: Strings) -> Any:
    """An update that shows the documents, with a button each to remove it."""
    items = "".join(_chip(index, document, strings) for index, document in enumerate(documents))
    label = escape(strings("documents"))
    return gr.update(value=f'<ul aria-label="{label}">{items}</ul>', visible=bool(documents))


def index_of(index: Any) -> int:
    """The place that an event is about, which Gradio gives as a number or in a pair; -1 for anything else."""
    first = index[0] if isinstance(index, list | tuple) and index else index
    return first if isinstance(first, int) else -1


def _chip(index: int, document: Document, strings: Strings) -> str:
    pages = len(document.pages)
    count = strings("pages_one") if pages == 1 else strings("pages_many", count=strings.number(pages))
    remove = escape(strings("remove_document", name=document.name))
    return (
        f'<li><span class="name" dir="auto">{escape(document.name)}</span><small>{escape(count)}</small>'
        f'<button type="button" data-index="{index}" aria-label="{remove}">×</button></li>'
    )
