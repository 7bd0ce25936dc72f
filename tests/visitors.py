"""A visitor of the page: a browser of their own, and what goes wrong in it."""

import re
import shutil
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect


CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # What Gradio's statistics of its own queue call in pandas.
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]


class Visitor:
    """A browser of its own with the page open, and what went wrong in it."""

    def __init__(self, context: "sync_api.BrowserContext", address: str) -> None:
        self.context = context
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", self._asked)
        self.page.on("request", lambda request: self._requested(request.url, address))
        self.page.goto(address)
        self.ready()

    def _heard(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _asked(self, dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _requested(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.complaints.append(f"request: {url}")

    def ready(self) -> None:
        """Wait until the page has its words."""
        # A busy machine takes its time to the first paint.
        expect(self.box).to_have_attribute("placeholder", re.compile("."), timeout=20_000)
        expect(self.find("#title h1")).to_be_visible()

    @property
    def box(self):
        return self.page.locator("#message textarea")

    @property
    def replies(self):
        return self.page.locator("article.reply")

    @property
    def bubbles(self):
        return self.page.locator('[data-testid="user"]')

    @property
    def conversations(self):
        return self.page.locator("#conversations label")

    def find(self, selector: str):
        return self.page.locator(selector)

    def say(self, message: str):
        """Send a message and wait for the end of its reply."""
        count = self.replies.count()
        self.box.fill(message)
        self.box.press("Enter")
        return self.reply(count)

    def reply(self, index: int = -1):
        reply = self.replies.nth(index)
        expect(reply.locator("details.why")).to_be_attached()
        expect(self.find("#message .submit-button")).to_be_visible()
        return reply

    def press(self, name: str, index: int = -1):
        self.page.get_by_role("button", name=name, exact=True).nth(index).click()

    def attach(self, *files: Path) -> None:
        self.find("input[type=file]").first.set_input_files(files)
