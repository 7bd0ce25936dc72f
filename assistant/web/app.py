"""The page as a whole: header, tabs, language, looks, and how it is served."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.api.endpoints import endpoints
from assistant.api.service import Service, refusal
from assistant.applications import Request
from assistant.core import Assistant
from assistant.errors import InputError
from assistant.formats import as_json
from assistant.sentences import check_language
from assistant.web.chat import Chat
from assistant.web.language import DEFAULT, languages, preferred, strings_for
from assistant.web.lesson import Skill
from assistant.web.plugins import Plugins
from assistant.web.teach import Teach
from assistant.web.visitors import visitor

HERE = Path(__file__).parent
# Messages answered at a time, and messages that may wait; one more is told to come back later.
CONCURRENT = 8
WAITING = 64
# Open pages whose state (the attached documents) is kept; the oldest one goes first.
SESSIONS = 500
# Seconds: how often uploaded files are looked through, and how old one may become; on a public page too.
SWEEP, UPLOADS_LIVE = 600, 3600
PUBLIC_SWEEP, PUBLIC_UPLOADS_LIVE = 60, 300

THEME = gr.themes.Base(
    primary_hue=gr.themes.colors.teal,
    secondary_hue=gr.themes.colors.teal,
    neutral_hue=gr.themes.colors.stone,
    radius_size=gr.themes.sizes.radius_lg,
    # Fonts of the system only: the page fetches nothing from elsewhere.
    font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
    font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "monospace"],
)

# A second wall behind the escaping: whatever got into the page could reach no other host. Gradio itself needs
# inline scripts and `new Function`.
_POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)
_TOGGLE_THEME = "() => { onebase.toggleTheme(); }"
_TOGGLE_NOTICES = "() => { onebase.toggleNotices(); }"


def create_app(service: Service) -> gr.Blocks:
    """The page for an assistant. On a public one what could tell about the machine is left out, and what takes
    long for everybody."""
    assistant, public = service.assistant, service.public
    with gr.Blocks(
        title="OneBase",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(PUBLIC_SWEEP, PUBLIC_UPLOADS_LIVE) if public else (SWEEP, UPLOADS_LIVE),
    ) as app:
        # The skills that this page's visitor has taught; no other page sees them.
        own = gr.State(())
        chosen = gr.BrowserState(None, storage_key="onebase-language", secret="onebase")  # noqa: S106
        with gr.Row(elem_id="header"):
            title = gr.HTML(elem_id="title", apply_default_css=False)
            language = gr.Radio(
                [(code.upper(), code) for code in languages()],
                value=DEFAULT,
                elem_id="language",
                container=False,
                show_label=False,
                scale=0,
                min_width=90,
            )
            notices = gr.Button(elem_id="notices", size="sm", scale=0, min_width=44)
            theme = gr.Button(elem_id="theme", size="sm", scale=0, min_width=44)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Chat", id="chat") as chat_tab:
                chat = Chat(service, language, own)
            with gr.Tab("Teach", id="teach") as teach_tab:
                teach = Teach(assistant, language, own, public=public)
            with gr.Tab("Plugins", id="plugins") as plugins_tab:
                plugins = Plugins(assistant, language, public=public)

        teach.connect(chat.picker, chat.choices)

        def texts(
            code: str, application: str, stored: Any, library: Any, skills: Sequence[Skill]
        ) -> dict[gr.blocks.Block, Any]:
            strings = strings_for(code)
            return {
                language: gr.update(label=strings("language")),
                title: f"<h1>OneBase</h1><p>{escape(strings('tagline'))}</p>",
                theme: gr.update(value=strings("theme")),
                notices: gr.update(value=strings("notices")),
                chat_tab: gr.update(label=strings("chat_tab")),
                teach_tab: gr.update(label=strings("teach_tab")),
                plugins_tab: gr.update(label=strings("plugins_tab")),
                **chat.texts(code, application, stored, library, skills),
                **teach.texts(code),
                **plugins.texts(code),
            }

        def opened(
            code: str | None,
            application: str,
            stored: Any,
            library: Any,
            skills: Sequence[Skill],
            request: gr.Request,
        ) -> dict[gr.blocks.Block, Any]:
            if code not in languages():
                code = preferred(request.headers.get("accept-language", ""))
            words = texts(code, application, stored, library, skills)
            return {**words, language: gr.update(value=code, label=strings_for(code)("language"))}

        def switched(
            code: str, application: str, stored: Any, library: Any, skills: Sequence[Skill]
        ) -> dict[gr.blocks.Block, Any]:
            return {chosen: code, **texts(code, application, stored, library, skills)}

        state = [chat.picker, chat.conversation, chat.library, own]
        words = texts(DEFAULT, "", None, [], ())
        _begin_with(words)
        worded = list(words)
        quiet = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        app.load(opened, [chosen, *state], worded, **quiet)
        language.input(switched, [language, *state], [chosen, *worded], **quiet)
        theme.click(None, js=_TOGGLE_THEME)
        notices.click(None, js=_TOGGLE_NOTICES)

        def ask(
            message: str, application: str = "", language: str = "en", http: gr.Request | None = None
        ) -> dict[str, Any]:
            """Answer one message without a conversation.

            Args:
                message: what a person would type.
                application: the id of the one that has to answer (see /applications); empty for automatic.
                language: of the answer: en or pt.
            Returns:
                the reply by name: application, text, labels, unsure, spans, citations and more.
                With `failed` the text says what went wrong.
            """
            try:
                check_language(language)
            except InputError as error:
                return as_json(refusal(error))
            request = Request(message, application=application or None, language=language)
            *_, reply = service.admitted(request, visitor(service, http))
            return as_json(reply)

        def applications() -> list[dict[str, Any]]:
            """The installed applications: id, title, description, task, the fields that each works on, examples."""
            names = ("id", "title", "description", "task", "fields", "examples")
            return [
                {name: getattr(application, name) for name in names}
                for application in assistant.applications.values()
            ]

        gr.api(ask, api_name="ask", concurrency_id="reply", concurrency_limit=CONCURRENT)
        gr.api(applications, api_name="applications", queue=False)
    app.queue(max_size=WAITING, default_concurrency_limit=CONCURRENT)
    return app


def _begin_with(words: dict[gr.blocks.Block, Any]) -> None:
    """Give the components these updates as what they are built with: the load event takes a second or two to come, and
    until then Gradio's own labels would stand there."""
    for component, update in words.items():
        given = dict(update) if isinstance(update, dict) else {"value": update}
        given.pop("__type__", None)
        # The constructor makes of a value what the browser takes.
        fresh = type(component)(**{**component.constructor_args, **given, "render": False})
        for name in given:
            setattr(component, name, getattr(fresh, name))


def launch(
    assistant: Assistant,
    host: str = "127.0.0.1",
    port: int = 7860,
    public: bool = False,
    *,
    mcp: bool = False,
    block: bool = True,
) -> gr.Blocks:
    """Serve the page and the endpoints beside it, and say where they are.

    `mcp` offers the applications as tools too. `block` waits until the server stops; else the caller closes it.
    """
    service = Service(assistant, public=public)
    app = create_app(service)
    _, url, _ = app.launch(
        server_name=host,
        server_port=port,
        share=False,
        show_error=not public,
        quiet=True,
        prevent_thread_lock=True,
        max_file_size=assistant.settings.limits.document_bytes,
        footer_links=[],
        run_history=False,
        state_session_capacity=SESSIONS,
        enable_monitoring=False,
        mcp_server=False,
        ssr_mode=False,
        pwa=False,
        app_kwargs=endpoints(service, host=host, mcp=mcp),
        theme=THEME,
        css_paths=HERE / "style.css",
        head=f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<script>{(HERE / 'page.js').read_text(encoding='utf-8')}</script>",
    )
    print(f"OneBase is at {url.rstrip('/')}", flush=True)
    if mcp:
        print(f"Its tools are at {url.rstrip('/')}/mcp", flush=True)
    if block:
        app.block_thread()
    return app
