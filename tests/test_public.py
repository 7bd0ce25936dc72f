"""A public page, with the real server: the API that programs see, and what one visitor may not do."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from gradio_client import Client
from hypothesis import given
from hypothesis import strategies as st
from mcp.client import Client as MCPClient
from served_applications import free_port, make_assistant
from starlette.datastructures import Headers

from assistant.api.service import Service
from assistant.api.visitors import SlidingWindow, visitor_of
from assistant.applications import Request
from assistant.errors import RateLimitError

pytestmark = [
    # What Gradio's statistics of its own queue call in pandas.
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

MESSAGES, REQUESTS, UPLOADS, BODY = 3, 40, 50_000, 100_000


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A public page behind one proxy, with small limits: each test is a visitor of its own."""
    from assistant.web.app import launch

    assistant = make_assistant(
        tmp_path_factory.mktemp("home"),
        proxies=1,
        messages_per_minute=MESSAGES,
        requests_per_minute=REQUESTS,
        upload_bytes_per_hour=UPLOADS,
        request_bytes=BODY,
    )
    app = launch(assistant, port=(port := free_port()), public=True, mcp=True, block=False)
    yield f"http://127.0.0.1:{port}"
    app.close(verbose=False)


def visitor(address: str, number: int) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"X-Forwarded-For": f"6.6.6.6, 10.0.0.{number}"})


def program(address: str, number: int) -> Client:
    return Client(address, verbose=False, headers={"X-Forwarded-For": f"10.0.0.{number}"})


# --- gradio_client ------------------------------------------------------------------------------------------


def test_a_program_sees_the_documented_functions_and_no_other(address):
    api = program(address, 1).view_api(return_format="dict")
    assert set(api["named_endpoints"]) == {"/ask", "/applications"}
    assert not api["unnamed_endpoints"]
    parameters = {p["parameter_name"]: p for p in api["named_endpoints"]["/ask"]["parameters"]}
    assert list(parameters) == ["message", "application", "language"]
    assert all(parameter["python_type"]["type"] == "str" for parameter in parameters.values())
    assert not parameters["message"]["parameter_has_default"]
    assert "one message" in api["named_endpoints"]["/ask"]["description"]


def test_a_program_asks_and_learns_what_there_is(address):
    client = program(address, 2)
    answer = client.predict("/length abc", api_name="/ask")
    assert answer["application"] == "length"
    assert answer["labels"][0]["label"] == "short"
    assert client.predict("abc", "length", "en", api_name="/ask")["text"].startswith("It has 3")
    refused = client.predict("/length abc", "", "de", api_name="/ask")
    assert refused["failed"] and "'de'" in refused["text"] and "en or pt" in refused["text"]
    applications = client.predict(api_name="/applications")
    assert [each["id"] for each in applications] == ["length", "pick", "slow", "trouble"]
    assert applications[1]["fields"] == ["question", "choices"]


# --- limits -------------------------------------------------------------------------------------------------


def test_too_many_messages_are_told_to_wait_and_other_visitors_are_not(address):
    client = program(address, 3)
    answers = [client.predict("/length abc", api_name="/ask") for _ in range(MESSAGES + 1)]
    assert [answer["failed"] for answer in answers] == [False] * MESSAGES + [True]
    assert "Please wait" in answers[-1]["text"]
    assert not program(address, 4).predict("/length abc", api_name="/ask")["failed"]


def test_the_same_holds_for_openais_clients_with_the_time_to_wait(address):
    body = {"model": "length", "messages": [{"role": "user", "content": "abc"}]}
    with visitor(address, 5) as client:
        responses = [client.post("/v1/chat/completions", json=body) for _ in range(MESSAGES + 1)]
    assert [response.status_code for response in responses] == [200] * MESSAGES + [429]
    assert responses[-1].json()["error"]["code"] == "rate_limit_exceeded"
    assert 0 < int(responses[-1].headers["Retry-After"]) <= 60


def test_the_same_holds_for_tools(address):
    async def run() -> None:
        async with MCPClient(f"{address}/mcp") as client:
            said = [await client.call_tool("length", {"text": "abc"}) for _ in range(MESSAGES + 1)]
        assert [each.is_error for each in said] == [False] * MESSAGES + [True]
        assert "Please wait" in said[-1].content[0].text

    anyio.run(run)


def test_too_many_requests_of_any_kind_are_refused_before_anything_reads_them(address):
    with visitor(address, 6) as client:
        statuses = [client.post("/gradio_api/queue/join", content=b"{").status_code for _ in range(REQUESTS)]
        refused = client.post("/gradio_api/queue/join", content=b"{")
        assert 429 not in statuses
        assert refused.status_code == 429
        assert "Please wait" in refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        assert client.get("/health").status_code == 200  # looking costs nothing


def upload(client: httpx.Client, size: int) -> httpx.Response:
    return client.post(
        "/gradio_api/upload", files={"files": ("a.txt", io.BytesIO(b"x" * size), "text/plain")}
    )


def test_uploads_are_bounded_within_an_hour(address):
    with visitor(address, 7) as client:
        assert upload(client, UPLOADS // 2).status_code == 200
        refused = upload(client, UPLOADS // 2)
        assert refused.status_code == 429, refused.text
        assert "uploaded" in refused.text
    with visitor(address, 8) as client:
        assert upload(client, UPLOADS // 2).status_code == 200


def test_a_request_that_uploads_nothing_has_a_largest_size(address):
    body = {"model": "length", "messages": [{"role": "user", "content": "x" * BODY}]}
    with visitor(address, 9) as client:
        refused = client.post("/v1/chat/completions", json=body)
        assert refused.status_code == 413
        assert f"{BODY:,}" in refused.text
        assert client.post("/gradio_api/queue/join", content=b"x" * (BODY + 1)).status_code == 413


def test_nobody_has_the_machine_measured(address):
    config = httpx.get(f"{address}/config").json()
    (measure,) = (c["id"] for c in config["components"] if c["props"].get("elem_id") == "measure")
    assert not any(target[0] == measure for event in config["dependencies"] for target in event["targets"])


def test_on_a_page_of_ones_own_nothing_is_counted_against_anyone(tmp_path: Path):
    service = Service(make_assistant(tmp_path, messages_per_minute=1))
    for _ in range(5):
        *_, reply = service.admitted(Request("/length abc"), "10.0.0.1")
        assert not reply.failed


@pytest.mark.parametrize("public", [True, False])
def test_what_a_plugin_did_wrong_is_told_on_a_page_of_ones_own_only(public: bool, tmp_path: Path):
    service = Service(make_assistant(tmp_path), public=public)
    *_, failed = service.reply(Request("/trouble late"))
    assert failed.failed and failed.text.startswith("So far, so good.\n\n")
    assert ("served_applications.py" in failed.text) is not public
    assert ("Something went wrong on my side" in failed.text) is public
    *_, refused = service.reply(Request("/trouble refuse"))
    assert refused.refused and refused.text == "This text cannot be worked on."


def test_the_sentence_is_in_the_visitors_language(tmp_path: Path):
    service = Service(make_assistant(tmp_path, messages_per_minute=0), public=True)
    with pytest.raises(RateLimitError, match="Espere 60 s"):
        service.admit("10.0.0.1", "pt")


# --- who a visitor is ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        # Lines are separated by "|".
        ("1.1.1.1", 0, "9.9.9.9"),  # nobody stands in front: the header is the visitor's own invention
        ("1.1.1.1, 2.2.2.2", 1, "2.2.2.2"),
        ("1.1.1.1, 2.2.2.2, 3.3.3.3", 2, "2.2.2.2"),
        ("2.2.2.2", 2, "2.2.2.2"),
        ("", 1, "9.9.9.9"),
        ("2001:db8:1:2:3:4:5:6", 1, "2001:db8:1:2::/64"),
        ("::ffff:2.2.2.2", 1, "2.2.2.2"),
        ("unknown", 1, "unknown"),
        ("1.1.1.1|2.2.2.2", 1, "2.2.2.2"),  # a proxy that adds a line of its own
        ("1.1.1.1, 2.2.2.2|3.3.3.3", 2, "2.2.2.2"),
    ],
)
def test_the_outermost_proxy_says_who_the_visitor_is(forwarded: str, proxies: int, expected: str):
    assert visitor_of(forwarded.split("|"), "9.9.9.9", proxies) == expected


def test_every_line_of_the_header_counts(tmp_path: Path):
    service = Service(make_assistant(tmp_path, proxies=1), public=True)
    headers = Headers(raw=[(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"2.2.2.2")])
    assert service.visitor(headers, "9.9.9.9") == "2.2.2.2"


@given(st.lists(st.text()), st.text(), st.integers(0, 3))
def test_whatever_is_said_of_an_address_is_read(forwarded: list[str], peer: str, proxies: int):
    assert len(visitor_of(forwarded, peer, proxies)) <= 64


# --- sliding windows ----------------------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_window_slides():
    window = SlidingWindow(2, 60, clock=(clock := Clock()))
    assert window.take("a") == 0
    clock.now = 30
    assert window.take("a") == 0
    assert window.take("a") == 30
    assert window.take("b") == 0
    clock.now = 60
    assert window.take("a") == 0
    assert window.take("a") == 30


def test_what_never_fits_has_to_wait_for_a_whole_window():
    assert SlidingWindow(2, 60, clock=Clock()).take("a", 3) == 60


def test_a_window_forgets_who_was_quiet_for_longest():
    window = SlidingWindow(1, 60, visitors=2, clock=Clock())
    for each in "abc":
        assert window.take(each) == 0
    assert len(window._taken) == 2
    assert window.take("c") == 60
    assert window.take("a") == 0


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 5)), max_size=60))
def test_within_no_window_more_than_the_limit_is_taken(steps: list[tuple[float, int]]):
    limit, seconds = 10, 60
    window = SlidingWindow(limit, seconds, entries=5, clock=(clock := Clock()))
    granted: list[tuple[float, int]] = []
    for pause, cost in steps:
        clock.now += pause
        if window.take("a", cost) == 0:
            granted.append((clock.now, cost))
        assert sum(c for moment, c in granted if moment > clock.now - seconds) <= limit
        assert len(window._taken["a"]) <= 5
