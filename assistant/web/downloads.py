"""The buttons that take a conversation away as a file: made here, saved by the browser, kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from assistant.web import export, storage
from assistant.web.language import Strings, strings_for
from assistant.web.storage import JSON

_DOWNLOAD = """
(file) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([file.text], { type: file.type }));
  link.download = file.name;
  link.click();
  URL.revokeObjectURL(link.href);
}
"""


class Downloads:
    """The components, not yet placed: who lays out the page renders `markdown` and `json` in their places. `titles` are
    those of the applications, by id."""

    def __init__(self, titles: Mapping[str, str], conversation: gr.BrowserState, language: gr.State) -> None:
        self.titles = titles
        self.conversation = conversation
        self.language = language
        self.file = gr.JSON(visible=False)
        button: dict[str, Any] = {"size": "sm", "scale": 0, "min_width": 60, "render": False}
        self.markdown = gr.Button(elem_id="export-markdown", **button)
        self.json = gr.Button(elem_id="export-json", **button)

    def connect(self) -> None:
        """Add the events, once the components are placed."""
        quick = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        for button, made in ((self.markdown, self._markdown), (self.json, self._json)):
            told = button.click(made, [self.conversation, self.language], self.file, **quick)
            told.then(None, self.file, js=_DOWNLOAD)

    def texts(self, strings: Strings) -> dict[gr.Component, Any]:
        """What the buttons say."""
        return {
            self.markdown: gr.update(value=strings("export_markdown")),
            self.json: gr.update(value=strings("export_json")),
        }

    def _markdown(self, stored: JSON, language: str) -> dict[str, str]:
        return export.markdown_file(storage.from_json(stored), self.titles, strings_for(language))

    def _json(self, stored: JSON, language: str) -> dict[str, str]:
        return export.json_file(storage.from_json(stored))
