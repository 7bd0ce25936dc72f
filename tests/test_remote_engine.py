"""The engine elsewhere, against a server that behaves and one that does not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from assistant_plugins.sentiment import Sentiment
from causal_folders import PROMPTS
from click.testing import CliRunner
from engine_conformance import AdapterFor, EngineConformance

from assistant.cli import main
from assistant.engine.base import Engine, Message
from assistant.engine.echo import EchoEngine
from assistant.engine.remote import ATTEMPTS, RemoteEngine
from assistant.errors import EngineError, InputError
from assistant.prompts import load_prompt
from assistant.settings import Selection


class Server(ThreadingHTTPServer):
    """`behave` answers a request for text; `seen` are the bodies."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[dict[str, Any]] = []
        self.behave: Callable[[Handler, dict[str, Any]], None] = well
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.whole(200, json.dumps({"data": [{"id": "base"}, {"id": "sentiment"}]}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append({**body, "path": self.path})
        self.server.behave(self, body)

    def whole(self, status: int, text: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def events(self, events: Iterable[Any]) -> None:
        """Events, and the connection's end."""
        self.send_response(200)
        self.end_headers()
        for event in events:
            data = event if isinstance(event, str) else json.dumps(event)
            self.wfile.write(f": comment\r\ndata: {data}\r\n\r\n".encode())
            self.wfile.flush()


def part(text: str, reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": reason}]}


def well(handler: Handler, body: dict[str, Any]) -> None:
    text = body["prompt"] if "prompt" in body else body["messages"][-1]["content"]
    words = text.split()[: body["max_tokens"]]
    chat = handler.path.endswith("/chat/completions")
    events = [part(word + " ") if chat else {"choices": [{"text": word + " "}]} for word in words]
    handler.events([*events, {"choices": []}, "[DONE]"])


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def engine(server: Server, pauses: list[float]) -> Iterator[Engine]:
    engine = RemoteEngine(server.url, "base", EchoEngine(), silence=30.0, sleep=pauses.append)
    yield engine
    engine.close()


class TestRemote(EngineConformance):
    @pytest.fixture
    def adapter_for(self) -> AdapterFor:
        return lambda operation: None


def test_prompts_and_conversations_go_where_they_belong(engine: Engine, server: Server) -> None:
    assert "".join(engine.generate("one two", max_tokens=5)) == "one two "
    assert (
        "".join(engine.generate([Message("user", "hi"), Message("assistant", "ho"), Message("user", "a b")]))
        == "a b "
    )
    # A folder's name says nothing; whose adapter it is does.
    known, other = Path("anywhere/one"), Path("sentiment/adapter")
    engine.prepare([type("Moved", (Sentiment,), {"adapter": known})()])
    for adapter in (known, other):
        list(engine.generate("x", adapter))
    assert [(seen["path"], seen["model"]) for seen in server.seen] == [
        ("/v1/completions", "base"),
        ("/v1/chat/completions", "base"),
        ("/v1/completions", "sentiment"),
        ("/v1/completions", "base"),
    ]
    assert [message["role"] for message in server.seen[1]["messages"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize("selection", ["fixed", "similar"])
def test_a_prompt_has_the_examples_that_the_settings_ask_for(server: Server, selection: Selection) -> None:
    prompt = load_prompt(PROMPTS / "sentiment", "en")
    text = prompt.shots[-1].input["text"]
    engine = RemoteEngine(server.url, "base", EchoEngine(), shots=2, selection=selection)
    rendered = engine.rendered(prompt, {"text": text})
    assert rendered.text.count("```") == 6
    assert rendered.text.count(text) == (2 if selection == "similar" else 1)
    assert rendered.fields == {"text": text}
    with pytest.raises(InputError, match="expected text"):
        engine.rendered(prompt, {"message": text})
    engine.close()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_trouble_is_waited_out(
    engine: Engine, server: Server, pauses: list[float], status: int
) -> None:
    def busy_twice(handler: Handler, body: dict[str, Any]) -> None:
        if len(server.seen) < 3:
            handler.whole(status, "busy", **({"retry_after": "7"} if len(server.seen) == 2 else {}))
        else:
            well(handler, body)

    server.behave = busy_twice
    assert "".join(engine.generate("one two")) == "one two "
    assert pauses == [0.5, 7.0]


def test_trouble_that_stays_is_told(engine: Engine, server: Server, pauses: list[float]) -> None:
    server.behave = lambda handler, body: handler.whole(500, "out of memory")
    with pytest.raises(EngineError, match="answers 500: out of memory"):
        list(engine.generate("x"))
    assert pauses == [0.5, 1.0, 2.0]
    assert len(server.seen) == ATTEMPTS
    server.behave = lambda handler, body: handler.whole(400, "no such thing")
    with pytest.raises(EngineError, match="answers 400: no such thing"):
        list(engine.generate("x"))
    assert len(server.seen) == ATTEMPTS + 1


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([part("half a ")], "broke off in the middle"),
        (["<html>garbage"], "cannot be read"),
        (["[1, 2]"], "cannot be read"),
        ([{"choices": [{"delta": {"content": 7}}]}], "cannot be read"),
        ([{"error": {"message": "cancelled"}}], "gave up.*cancelled"),
    ],
)
def test_an_answer_that_is_none_is_told(engine: Engine, server: Server, events: list[Any], said: str) -> None:
    server.behave = lambda handler, body: handler.events(events)
    with pytest.raises(EngineError, match=said):
        list(engine.generate("x"))


def test_silence_is_told(server: Server) -> None:
    engine = RemoteEngine(server.url, "base", EchoEngine(), silence=1.5)
    asleep = threading.Event()

    def slow(handler: Handler, body: dict[str, Any]) -> None:
        handler.events([part("half a ")])
        asleep.wait(20)

    server.behave = slow
    pieces = engine.generate("x")
    assert next(pieces) == "half a "
    with pytest.raises(EngineError, match=r"silent for 1\.5 seconds"):
        next(pieces)
    asleep.set()
    engine.close()


def test_closing_the_iterator_closes_the_connection(engine: Engine, server: Server) -> None:
    gone = threading.Event()

    def endless(handler: Handler, body: dict[str, Any]) -> None:
        try:
            handler.events(part("more ") for _ in iter(lambda: time.sleep(0.005), 1))
        except OSError:
            gone.set()

    server.behave = endless
    pieces = engine.generate("x")
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert gone.wait(20)


def test_a_server_without_the_model_or_without_itself_is_told(server: Server) -> None:
    with pytest.raises(EngineError, match=r"no model 'other'; it has: base, sentiment"):
        RemoteEngine(server.url, "other", EchoEngine())
    with pytest.raises(EngineError, match="cannot be reached"):
        RemoteEngine("http://127.0.0.1:9/v1", "base", EchoEngine(), sleep=lambda seconds: None)
    with pytest.raises(EngineError):
        RemoteEngine("nonsense", "base", EchoEngine(), sleep=lambda seconds: None)


def test_ask_takes_a_server(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEBASE_HOME", str(tmp_path))
    said = "Correct this: She don't like apples."
    remote = ("--engine", "openai", "--url", server.url, "--model", "base")
    server.behave = lambda handler, body: handler.events(
        [{"choices": [{"text": " She doesn't like apples.\n"}]}, "[DONE]"]
    )
    result = CliRunner().invoke(main, ["ask", said, "--application", "error-detection", *remote])
    assert result.exit_code == 0, result.stderr
    assert "She doesn't like apples." in result.stdout
    result = CliRunner().invoke(main, ["ask", "Is this positive? “meh”", *remote])
    assert result.exit_code == 1
    assert result.stderr.startswith("The engine 'base' cannot")
    assert "it can: embed, generate" in result.stderr
    result = CliRunner().invoke(main, ["ask", "x", "--engine", "openai"])
    assert result.exit_code == 2
    assert "--url" in result.stderr
