"""What is served beside the page, as the programs that use it see it: real clients over a real connection."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import openai
import pytest
from mcp.client import Client as MCPClient
from served_applications import Length, Slow, listening, make_assistant
from starlette.applications import Starlette

from assistant.api import tools
from assistant.api.endpoints import endpoints
from assistant.api.service import Service
from assistant.api.tools import input_schema, read_arguments
from assistant.applications import Notice, Request, Text
from assistant.errors import AssistantError, InputError


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    service = Service(make_assistant(tmp_path_factory.mktemp("home")))
    with listening(Starlette(**endpoints(service, mcp=True))) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as client:
        yield client


@pytest.fixture
def sdk(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        yield client


def complete(client: httpx.Client, text: object, model: str = "length", **more: object) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    return client.post("/v1/chat/completions", json=body)


def error(response: httpx.Response, status: int, kind: str = "invalid_request_error") -> str:
    """The sentence of an error in OpenAI's form."""
    assert response.status_code == status, response.text
    body = response.json()["error"]
    assert set(body) == {"message", "type", "param", "code"}
    assert body["type"] == kind
    return body["message"]


# --- health and metrics -------------------------------------------------------------------------------------


def test_health(client):
    answer = client.get("/health").json()
    assert answer["status"] == "ok"
    assert answer["applications"] == ["length", "pick", "slow", "trouble"]


def counts(client: httpx.Client) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_metrics_count_how_replies_ended_and_hold_no_text(client):
    def outcome(application: str, outcome: str) -> str:
        return f'onebase_replies_total{{application="{application}",outcome="{outcome}"}}'

    before = counts(client)
    complete(client, "my secret diary")
    complete(client, "my secret diary?")
    complete(client, "refuse my secret diary", "trouble")
    complete(client, "my secret diary", "trouble")
    complete(client, "my secret diary", "auto")
    after = counts(client)
    for name in (
        outcome("length", "answered"),
        outcome("length", "unsure"),
        outcome("trouble", "refused"),
        outcome("trouble", "failed"),
        outcome("none", "asked_back"),
    ):
        assert after[name] == before.get(name, 0) + 1, name
    latency = 'onebase_reply_seconds_count{application="length"}'
    assert after[latency] == before.get(latency, 0) + 2
    assert "secret" not in client.get("/metrics").text


def test_metrics_name_no_taught_skill_and_time_no_stopped_reply(tmp_path: Path):
    class Taught(Slow):
        id, title = "my-secret-diary", "My secret diary"

    service = Service(make_assistant(tmp_path))
    replies = service.reply(Request("go on", application=Taught.id, skills=(Taught(),)))
    assert next(replies).route.application == Taught.id
    replies.close()
    page = service.metrics.page().decode()
    assert 'onebase_replies_total{application="taught",outcome="stopped"} 1.0' in page
    assert "diary" not in page and "onebase_reply_seconds_count" not in page


# --- /v1 ----------------------------------------------------------------------------------------------------


def test_models_are_the_applications_and_auto(sdk):
    assert [model.id for model in sdk.models.list()] == ["auto", "length", "pick", "slow", "trouble"]
    assert sdk.models.retrieve("length").owned_by == "onebase"
    with pytest.raises(openai.NotFoundError, match="nonsense"):
        sdk.models.retrieve("nonsense")


def test_what_is_not_found_is_a_model_only_where_one_was_named(client):
    assert complete(client, "a", "nonsense").json()["error"]["code"] == "model_not_found"
    assert client.get("/v1/nowhere").json()["error"]["code"] is None


def test_a_skill_answers_openais_client(sdk):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "abc"}]
    answer = sdk.chat.completions.create(model="length", messages=messages, temperature=0)
    (choice,) = answer.choices
    assert choice.finish_reason == "stop"
    assert choice.message.content == "It has 3 characters.\n\nIt begins with a."
    assert choice.message.reply["labels"][0] == {"label": "short", "probability": 0.7}
    assert answer.model == "length"


def test_the_conversation_counts_without_its_system_messages(client):
    messages = [
        {"role": "system", "content": "x"},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    ]
    body = {"model": "length", "messages": messages}
    answer = client.post("/v1/chat/completions", json=body).json()
    assert answer["choices"][0]["message"]["reply"]["payload"] == {"text": "[2]a\nb"}


def test_auto_lets_the_router_decide_and_offers_what_may_be_meant(client):
    assert (
        complete(client, "/length ab", "auto").json()["choices"][0]["message"]["reply"]["application"]
        == "length"
    )
    content = complete(client, "ab", "auto").json()["choices"][0]["message"]["content"]
    assert "- Length: /length ab" in content
    content = complete(client, "ab", "auto", language="pt").json()["choices"][0]["message"]["content"]
    assert content.startswith("Não tenho certeza")


def test_a_stream_gives_the_same_text_piece_by_piece(sdk):
    messages = [{"role": "user", "content": "abc"}]
    chunks = list(sdk.chat.completions.create(model="length", messages=messages, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert deltas[0].role == "assistant"
    pieces = [delta.content for delta in deltas if delta.content]
    assert pieces == ["It has 3 characters.", "\n\nIt begins with a."]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert deltas[-1].reply["application"] == "length"
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_loses_nothing_to_white_space_that_came_first(client, monkeypatch):
    growing = [Text(text, growing=True) for text in ("\n\n", "\n\nSo", "\n\nSo be it \n")]

    def answer(self, request, engine):
        yield from growing
        yield Text("So be it")
        yield Notice("It was cut.")

    monkeypatch.setattr(Length, "answer", answer)
    events = [line[6:] for line in complete(client, "a", stream=True).text.splitlines() if line]
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
    assert [delta.get("content") for delta in deltas] == ["", "So", " be it", "\n\nIt was cut.", None]


def test_leaving_a_stream_stops_the_application(client):
    Slow.stopped.clear()
    body = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": "go"}]}
    with client.stream("POST", "/v1/chat/completions", json=body) as response:
        lines = response.iter_lines()
        while "word 1" not in next(lines):
            pass
    assert Slow.stopped.wait(10)
    name = 'onebase_replies_total{application="slow",outcome="stopped"}'
    for _ in range(100):
        if counts(client).get(name):
            return
        time.sleep(0.05)
    raise AssertionError("A reply that was given up is not counted as stopped.")


def test_errors_have_openais_form_and_say_what_is_wrong(client):
    assert "nonsense" in error(complete(client, "a", "nonsense"), 404)
    assert "cannot be worked on" in error(complete(client, "refuse", "trouble"), 400)
    assert "cannot be worked on" in error(complete(client, "refuse", "trouble", stream=True), 400)
    assert "no words" in error(complete(client, "  "), 400)
    failed = error(complete(client, "x", "trouble"), 500, "server_error")
    assert "trouble" in failed or "served" in failed
    assert "secret detail" not in failed
    assert "n:" in error(complete(client, "a", n=2), 400)
    for stream in (False, True):
        assert "'de'; expected en or pt" in error(complete(client, "a", language="de", stream=stream), 400)
    assert "content" in error(complete(client, [{"type": "image_url", "image_url": {}}]), 400)
    assert "messages" in error(client.post("/v1/chat/completions", json={"model": "length"}), 400)
    body = {"model": "length", "messages": [{"role": "assistant", "content": "a"}]}
    assert "user" in error(client.post("/v1/chat/completions", json=body), 400)
    headers = {"Content-Type": "application/json"}
    broken = client.post("/v1/chat/completions", content=b'{"model": x', headers=headers)
    assert error(broken, 400).startswith("The request: JSON") and broken.json()["error"]["param"] is None
    error(client.get("/v1/chat/completions"), 405)
    error(client.get("/v1/nowhere"), 404)


def test_what_goes_wrong_in_the_middle_of_a_stream_ends_it_with_an_error(client, sdk):
    response = complete(client, "late refuse", "trouble", stream=True)
    assert response.status_code == 200
    events = [line[6:] for line in response.text.splitlines() if line]
    assert json.loads(events[1])["choices"][0]["delta"]["content"] == "So far, so good."
    assert json.loads(events[-1])["error"]["message"] == "This text cannot be worked on."
    stream = sdk.chat.completions.create(
        model="trouble", messages=[{"role": "user", "content": "late refuse"}], stream=True
    )
    with pytest.raises(openai.APIError, match="cannot be worked on"):
        list(stream)


# --- /mcp ---------------------------------------------------------------------------------------------------


def test_each_application_is_a_tool_with_its_fields_as_arguments(address):
    async def run() -> None:
        async with MCPClient(f"{address}/mcp") as client:
            listed = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert list(listed) == ["length", "pick", "slow", "trouble"]
            assert "Picks an option." in listed["pick"].description
            assert listed["pick"].annotations.read_only_hint
            schema = listed["pick"].input_schema
            assert schema["required"] == ["question", "choices"]
            assert schema["properties"]["question"]["type"] == "string"
            assert schema["properties"]["choices"]["items"]["type"] == "string"

            said = await client.call_tool("length", {"text": "/pick abc"})  # no command: the text itself
            assert said.content[0].text.startswith("It has 9 characters.")
            assert said.structured_content["labels"][0]["label"] == "short"
            said = await client.call_tool("pick", {"question": "Which?", "choices": ["a", "b"]})
            assert said.content[0].text == "b, of 2."

    anyio.run(run)


def test_a_tool_that_cannot_do_it_says_why(address):
    async def run() -> None:
        async with MCPClient(f"{address}/mcp") as client:
            for name, arguments, sentence in (
                ("nothing", {}, "There is no tool 'nothing'."),
                ("length", {"txt": "a"}, "Length has no 'txt'; it takes text."),
                ("length", {}, "Length needs text: a text."),
                (
                    "pick",
                    {"question": "a", "choices": "b"},
                    "Pick needs choices: a list of at least 2 texts.",
                ),
                ("trouble", {"text": "refuse"}, "This text cannot be worked on."),
            ):
                said = await client.call_tool(name, arguments)
                assert said.is_error
                assert said.content[0].text == sentence

    anyio.run(run)


def test_no_page_from_elsewhere_reaches_the_tools(address):
    """As a page would whose name was made to lead to this machine (DNS rebinding)."""
    headers = {"Host": "evil.example", "Accept": "application/json, text/event-stream"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert httpx.post(f"{address}/mcp", json=body, headers=headers).status_code == 421


def test_arguments_are_what_the_schema_allows(tmp_path: Path):
    pick = make_assistant(tmp_path).applications["pick"]
    assert set(input_schema(pick)["properties"]) == set(pick.fields)
    assert read_arguments(pick, {"question": "a", "choices": ["b", "c"]}) == {
        "question": "a",
        "choices": ("b", "c"),
    }
    for wrong in (
        {"question": "a", "choices": [1, 2]},
        {"question": 1, "choices": ["a", "b"]},
        {"choices": ["a"]},
        {"question": "a", "choices": []},
        {"question": "a", "choices": ["b"]},
        {"question": "a", "choices": ["b", " "]},
    ):
        with pytest.raises(InputError):
            read_arguments(pick, wrong)


def test_without_its_library_the_tool_server_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tools, "find_spec", lambda name: None)
    with pytest.raises(AssistantError, match=r"onebase\[mcp\]"):
        endpoints(Service(make_assistant(tmp_path)), mcp=True)
