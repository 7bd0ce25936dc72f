"""The pictures of the README, taken from the real page: `python docs/screenshots.py` (needs Chromium)."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from assistant.create import create_assistant, create_engine
from assistant.settings import Settings
from assistant.web.app import launch

IMAGES = Path(__file__).parent / "images"
PORT = 7869
MESSAGES = (
    "Is this review positive? “The plot dragged at times, but the cast is wonderful and the ending made me cry.”",
    "Check this for mistakes: Their going to recieve there new car tommorow, and it look great.",
)


def send(page: Page, message: str) -> None:
    """Type a message and wait for the whole reply."""
    replies = page.locator(".bot details")
    before = replies.count()
    page.locator("#message textarea").fill(message)
    page.keyboard.press("Enter")
    page.wait_for_function("n => document.querySelectorAll('.bot details').length > n", arg=before)
    page.wait_for_timeout(1500)


def main() -> None:
    """Take the pictures."""
    settings = Settings.from_environment()
    assistant = create_assistant(settings, create_engine(settings))
    app = launch(assistant, port=PORT, block=False)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1200, "height": 900}, locale="en-US")
            page.goto(f"http://127.0.0.1:{PORT}")
            page.locator("#message textarea").wait_for()
            page.wait_for_timeout(1000)
            for message in MESSAGES:
                send(page, message)
            page.screenshot(path=IMAGES / "chat.png")
            page.get_by_role("tab", name="Teach").click()
            page.locator("#teach-sample").click()
            page.locator("#teach-name input, #teach-name textarea").fill("Support desk")
            page.locator("#teach-start").click()
            page.locator("#teach-result").wait_for(timeout=240_000)
            page.locator("#teach-try textarea, #teach-try input").first.fill(
                "The invoice has the wrong address"
            )
            page.keyboard.press("Enter")
            page.locator("#teach-answer details").wait_for()
            page.wait_for_timeout(1000)
            page.screenshot(path=IMAGES / "teach.png", full_page=True)
            page.get_by_role("tab", name="Plugins").click()
            page.wait_for_timeout(1500)
            page.screenshot(path=IMAGES / "plugins.png", full_page=True)
            browser.close()
    finally:
        app.close()
        assistant.engine.close()


if __name__ == "__main__":
    main()
