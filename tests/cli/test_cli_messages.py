"""`serve` and `ask`."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from cli_site import refused

from assistant import Labels, Reply, Route, Text
from assistant.cli.messages import _print

# --- serve --------------------------------------------------------------------------------------------------


def test_serve_refuses_another_base(assistant):
    refused(assistant("serve", "--base", "gpt-7", "--port", str(free_port())), "'gpt-7'", "embedded")


def test_serve_refuses_a_busy_port(assistant):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        refused(assistant("serve", "--engine", "echo", "--port", port), port, "--port")


def test_serve_refuses_an_unknown_host(assistant):
    refused(assistant("serve", "--engine", "echo", "--host", "256.0.0.1"), "256.0.0.1", "--host")


def test_serve_says_where_it_is_and_ends_with_ctrl_c(site):
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    # A shell's background jobs, which these tests may be, ignore Ctrl-C.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heed}; from assistant.cli import main; main()"
    command = [sys.executable, "-c", program, "serve", "--engine", "echo"]
    with subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as server:
        try:
            assert server.stdout is not None
            assert f"http://127.0.0.1:{port}" in server.stdout.readline()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
                assert page.status == 200
            server.send_signal(signal.SIGINT)
            _, errors = server.communicate(timeout=60)
        finally:
            server.kill()
    assert "Traceback" not in errors


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


# --- ask ----------------------------------------------------------------------------------------------------


def test_ask_prints_label_bars_and_who_answered(assistant):
    result = assistant("ask", "/mood what a day")
    assert result.exit_code == 0, result.stderr
    assert "%" in result.stdout
    assert "[mood · mood-echo · " in result.stdout


def test_ask_prints_a_reply_without_labels(capsys):
    _print(Reply(Route(None, 0.0, ""), (Text("Nothing fits."), Labels(()))))
    assert capsys.readouterr().out == "Nothing fits.\n"


def test_ask_gives_json(assistant):
    result = assistant("ask", "which day", "--application", "mood", "--json")
    answer = json.loads(result.stdout)
    assert answer["application"] == "mood"
    assert set(answer["route"]) == {"score", "reason", "alternatives"}
    assert answer["payload"] == {"text": "which day"}
    assert {each["label"] for each in answer["labels"]} == {"good", "bad"}
    assert sum(each["probability"] for each in answer["labels"]) == pytest.approx(1)
    for span in answer["spans"]:
        assert "which day"[span["start"] : span["end"]] == span["text"]
        assert {"label", "replacement", "weight", "field"} <= set(span)
    assert answer["adapter"] == "mood-echo"
    assert answer["milliseconds"] > 0
    assert [turn["role"] for turn in answer["history"]] == ["user", "assistant"]


def test_ask_continues_the_history_of_the_last_call_or_of_the_page(assistant, tmp_path):
    first = assistant("ask", "/mood what a day", "--json")
    (tmp_path / "call.json").write_text(first.stdout)
    (tmp_path / "page.json").write_text(json.dumps(json.loads(first.stdout)["history"]))
    for name in ("call.json", "page.json"):
        second = json.loads(assistant("ask", "and this one: rain again", "--history", name, "--json").stdout)
        assert len(second["history"]) == 4
        assert second["application"] == "mood"
        assert second["payload"] == {"text": "rain again"}


@pytest.mark.parametrize(
    "content", ["{", "7", '[{"role": "judge", "text": "x"}]', '{"history": {}}', "[" * 100_000]
)
def test_ask_refuses_a_foreign_history(assistant, tmp_path, content):
    (tmp_path / "history.json").write_text(content)
    refused(assistant("ask", "hello", "--history", "history.json"), "conversation")


def test_ask_reads_stdin(assistant):
    answer = json.loads(assistant("ask", "-", "--json", stdin=b"/mood caf\xc3\xa9 \xff\x00").stdout)
    assert answer["payload"] == {"text": "café \ufffd"}


def test_ask_takes_documents(assistant, tmp_path):
    (tmp_path / "notes.txt").write_text("We won the match.")
    assert assistant("ask", "/mood what a day", "--document", "notes.txt").exit_code == 0
    refused(assistant("ask", "/mood x", "--document", "nowhere.txt"), "nowhere.txt")
    (tmp_path / "<script>.docx").write_bytes(b"PK\x03\x04 no zip")
    refused(assistant("ask", "/mood x", "--document", "<script>.docx"), "<script>.docx")


@pytest.mark.parametrize("message", ["", " \n", "😀😀", "\x01", "/moood fine", "/nonsense"])
def test_ask_says_in_a_sentence_what_is_wrong_with_a_message(assistant, message):
    result = assistant("ask", "--", message)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    answer = json.loads(assistant("ask", "--json", "--", message).stdout)
    assert answer["text"] == result.stderr.strip()
    assert len(answer["history"]) == 2


def test_ask_refuses_an_unknown_application(assistant):
    refused(assistant("ask", "x", "--application", "moood"), "moood", "Did you mean mood?")


def test_ask_names_the_plugin_that_fails_and_shows_no_traceback(assistant):
    result = assistant("ask", "/boom now")
    assert result.exit_code == 1
    assert "'demo'" in result.stderr
    assert "Traceback" not in result.output and "secret" not in result.output
