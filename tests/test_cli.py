"""Each command as it is typed, on a plugin installed in a folder of its own and mostly on the echo engine."""

import csv
import gzip
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from adapter_folders import write_adapter
from click.testing import CliRunner, Result

from assistant import __version__
from assistant.cli import main, shared
from assistant.cli.train import Watch
from assistant.create import EngineName
from assistant.engine.causal.quantization import QUANTIZATIONS
from assistant.workshop.prediction import MethodName
from assistant.workshop.training import Progress

# A third-party plugin as pip leaves it: a package, and its entry point in the metadata.
PLUGIN = """
from pathlib import Path
from assistant import Application, Text, TextClassification, hookimpl

HERE = Path(__file__).parent


class Mood(TextClassification):
    id, title, description = "mood", "Mood", "Tells the mood of a text."
    examples = ("Which mood is this: what a day", "mood: I am tired", "Is the mood good here? 'We won'")
    cues = ("mood",)
    adapter, prompts = HERE / "adapter", HERE / "prompts"


class Follows(TextClassification):
    id, title, description = "follows", "Follows", "Tells whether a text follows from another."
    fields = ("premise", "hypothesis")
    adapter = HERE / "entailment"


class Boom(Application):
    id, title, description, task = "boom", "Boom", "Fails.", "text-generation"

    def answer(self, request, engine):
        yield Text("One moment.")
        raise KeyError("a secret")


@hookimpl
def register_applications():
    return [Mood(), Follows(), Boom()]
"""
RECIPE = """
application: mood
labels: [bad, good]
method: {name: lora, rank: 2}
training: {epochs: 2, batch_size: 8, evaluations: 2, max_tokens: 16}
train: [{path: mood/train.jsonl, licence: none stated}]
dev: [{path: mood/dev.jsonl, licence: none stated}]
"""
TEXTS = {
    "good": ("a lovely day", "we won again", "what a nice song"),
    "bad": ("rain again", "we lost", "I hate it"),
}
SHOTS = [
    {"input": {"text": f"{text}{end}"}, "label": label}
    for label in TEXTS
    for text in TEXTS[label]
    for end in "!."
]
PROMPT = {
    "version": "1",
    "language": "en",
    "title": "Mood",
    "description": "The mood of a text.",
    "instruction": "Tell the mood.",
    "fields": ["text"],
    "labels": {
        "good": {"name": "good", "description": "Good."},
        "bad": {"name": "bad", "description": "Bad."},
    },
    "hypothesis": "The mood is $label.",
    "template": "$text\nMood:",
    "shots": SHOTS,
}

Assistant = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path in which the plugin `demo` is installed, and no other one is allowed."""
    folder = tmp_path / "site"
    package, metadata = folder / "demo_plugin", folder / "onebase_demo-1.2.dist-info"
    for made in (package / "prompts", package / "adapter", package / "entailment", metadata):
        made.mkdir(parents=True)
    (package / "__init__.py").write_text(PLUGIN)
    (package / "recipe.yaml").write_text(RECIPE)
    (package / "prompts" / "en.yaml").write_text(json.dumps(PROMPT))
    (package / "adapter" / "onebase.json").write_text(
        json.dumps({"name": "mood-echo", "labels": ["bad", "good"], "threshold": 0.55})
    )
    labels = ["entailment", "neutral", "contradiction"]
    (package / "entailment" / "onebase.json").write_text(json.dumps({"labels": labels}))
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: onebase-demo\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text("[assistant]\ndemo = demo_plugin\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("ONEBASE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONEBASE_PLUGINS", "demo")
    monkeypatch.delitem(sys.modules, "demo_plugin", raising=False)
    return folder


@pytest.fixture
def assistant(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assistant:
    """Run a command in `tmp_path`; commands with an engine take the echo engine."""
    monkeypatch.chdir(tmp_path)
    with_engine = {"ask", "route", "predict", "evaluate"}

    def run(*arguments: str, stdin: bytes | None = None) -> Result:
        engine = ("--engine", "echo") if arguments[0] in with_engine else ()
        return CliRunner().invoke(main, [*arguments[:1], *engine, *arguments[1:]], input=stdin)

    return run


def refused(result: Result, *words: str) -> None:
    """One sentence on stderr that holds the words, exit status 1, nothing on stdout."""
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert all(word in result.stderr for word in words), result.stderr


def write_jsonl(path: Path, *rows: object) -> Path:
    path.write_text(
        "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8"
    )
    return path


def read_jsonl(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- the group ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_imports_nothing_heavy_for_help_and_version(option):
    program = (
        "import sys\nfrom assistant.cli import main\n"
        f"try: main([{option!r}])\nexcept SystemExit: pass\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "peft", "gradio", "pydantic", "sklearn", "scipy", "numpy", "yaml"}
    assert not heavy & set(done.stderr.split())
    assert (__version__ if option == "--version" else "predict") in done.stdout


def test_choices_are_those_of_the_library():
    assert get_args(EngineName) == shared.ENGINES
    assert get_args(MethodName) == shared.METHODS
    assert QUANTIZATIONS == shared.QUANTIZATIONS


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["serve", "--port", "x"], ["ask"], ["predict", "mood", "x.jsonl"]]
)
def test_wrong_usage_exits_with_2(arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr


def test_a_defect_is_a_sentence_and_with_debug_a_traceback(assistant, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr("assistant.installed.installed", broken)
    refused(assistant("plugins", "list", "--offline"), "RuntimeError: first line.", "--debug")
    with pytest.raises(RuntimeError, match="first line"):
        CliRunner().invoke(main, ["--debug", "plugins", "list", "--offline"], catch_exceptions=False)


def test_a_wrong_environment_is_a_sentence(assistant, monkeypatch):
    monkeypatch.setenv("ONEBASE_ADAPTER_BYTES", "much")
    refused(assistant("plugins"), "ONEBASE_ADAPTER_BYTES", "'much'")


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
    command = [sys.executable, "-c", "from assistant.cli import main; main()", "serve", "--engine", "echo"]
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
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
                assert page.status == 200
            server.send_signal(signal.SIGINT)
            _, errors = server.communicate(timeout=20)
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


# --- route --------------------------------------------------------------------------------------------------


def test_route_adds_application_score_and_payload(assistant, tmp_path):
    history = json.loads(assistant("ask", "/mood what a day", "--json").stdout)["history"]
    messages = write_jsonl(
        tmp_path / "in.jsonl",
        {"message": "/mood rain", "id": 1},
        {"message": "and this one: sun", "history": history},
        {"message": "😀"},
        {"message": "/nobody x"},
    )
    result = assistant("route", str(messages), "-o", "out.jsonl")
    assert result.exit_code == 0, result.stderr
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [row["application"] for row in rows] == ["mood", "mood", "none", "none"]
    assert [row["payload"] for row in rows] == [{"text": "rain"}, {"text": "sun"}, None, None]
    assert rows[0]["id"] == 1
    assert all(0 <= row["score"] <= 1 for row in rows)  # type: ignore[operator]


def test_route_leaves_bad_rows_out(assistant, tmp_path):
    write_jsonl(
        tmp_path / "in.jsonl",
        {"text": "x"},
        "no json",
        {"message": "x", "history": 1},
        {"message": "/mood x"},
    )
    result = assistant("route", "in.jsonl", "-o", "out.jsonl")
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()[-4:-1]] == [
        "Row 1",
        "Row 2",
        "Row 3",
    ]
    assert "3 of 4 rows" in result.stderr
    assert len(read_jsonl(tmp_path / "out.jsonl")) == 1


# --- predict ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", shared.METHODS)
def test_predict_keeps_the_order(assistant, tmp_path, method):
    texts = [f"{text} {number}" for number in range(50) for text in TEXTS["good"]]
    write_jsonl(tmp_path / "in.jsonl", *({"text": text, "label": "good"} for text in texts))
    result = assistant("predict", "mood", "in.jsonl", "-o", "out.jsonl", "--method", method)
    assert result.exit_code == 0, result.stderr
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [row["text"] for row in rows] == texts
    for row in rows:
        probabilities = row["probabilities"]
        assert isinstance(probabilities, dict) and set(probabilities) == {"good", "bad"}
        assert sum(probabilities.values()) == pytest.approx(1)
        assert row["label"] == max(probabilities, key=probabilities.__getitem__)
        assert row["input_label"] == "good"


def test_predict_reads_pairs_from_zipped_csv(assistant, tmp_path):
    with gzip.open(tmp_path / "in.csv.gz", "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [["premise", "hypothesis"], ["it rains\nhere", "it is wet"], ["a, b", '"c"']]
        )
    result = assistant("predict", "follows", "in.csv.gz", "-o", "out.jsonl.gz")
    assert result.exit_code == 0, result.stderr
    with gzip.open(tmp_path / "out.jsonl.gz", "rt", encoding="utf-8") as out:
        rows = [json.loads(line) for line in out]
    assert [row["premise"] for row in rows] == ["it rains\nhere", "a, b"]
    assert {row["label"] for row in rows} <= {"entailment", "neutral", "contradiction"}


def test_predict_tells_bad_rows_and_leaves_them_out(assistant, tmp_path):
    rows = (
        {"text": "fine"},
        "{",
        {"text": ""},
        {"txt": "x"},
        {"text": "\x00\x01"},
        {"text": 7},
        [],
        {"text": "\ud800 x"},
    )
    write_jsonl(tmp_path / "in.jsonl", *rows)
    result = assistant("predict", "mood", "in.jsonl", "-o", "out.jsonl")
    assert result.exit_code == 1
    told = [line for line in result.stderr.splitlines() if line.startswith("Row ")]
    assert [int(line.split()[1].rstrip(":")) for line in told] == [2, 3, 4, 5, 6, 7]
    assert [row["text"] for row in read_jsonl(tmp_path / "out.jsonl")] == ["fine", "\ud800 x"]


def test_predict_leaves_an_old_file_alone_when_it_fails(assistant, tmp_path):
    old = write_jsonl(tmp_path / "out.jsonl", {"old": True})
    (tmp_path / "in.jsonl").write_bytes(b'{"text": "x"}\n' * 9999 + b"\xff")
    refused(assistant("predict", "mood", "in.jsonl", "-o", "out.jsonl"), "in.jsonl", "UTF-8")
    write_jsonl(tmp_path / "in.jsonl", {"text": "x"})
    (tmp_path / "site" / "demo_plugin" / "adapter" / "onebase.json").write_text("{")
    refused(assistant("predict", "mood", "in.jsonl", "-o", "out.jsonl"), "manifest")
    assert read_jsonl(old) == [{"old": True}]
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["moot", "in.jsonl", "-o", "out.jsonl"], ["mood"]),
        (["mood", "nowhere.jsonl", "-o", "out.jsonl"], ["nowhere.jsonl"]),
        (["mood", "in.jsonl", "-o", "out.txt"], ["out.txt", ".jsonl"]),
        (["mood", "in.jsonl", "-o", "no/folder/out.jsonl"], ["out.jsonl"]),
        (["boom", "in.jsonl", "-o", "out.jsonl"], ["text-generation"]),
        (["follows", "in.jsonl", "-o", "out.jsonl", "--method", "few-shot"], ["prompt"]),
    ],
)
def test_predict_refuses_in_a_sentence(assistant, tmp_path, arguments, words):
    write_jsonl(tmp_path / "in.jsonl", {"text": "x"})
    refused(assistant("predict", *arguments), *words)


def test_shots_belong_to_few_shot(assistant, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", {"text": "x"})
    arguments = ("predict", "mood", "in.jsonl", "-o", "out.jsonl", "--shots", "2")
    assert assistant(*arguments).exit_code == 2
    result = assistant(*arguments, "--method", "few-shot")
    assert result.exit_code == 0
    assert "4 shots for 2 labels" in result.stderr


# --- evaluate -----------------------------------------------------------------------------------------------


def test_evaluate_measures_what_predict_says(assistant, tmp_path):
    rows = [
        {"text": f"{text} {n}", "label": label}
        for label, texts in TEXTS.items()
        for text in texts
        for n in range(9)
    ]
    write_jsonl(tmp_path / "in.jsonl", *rows)
    assistant("predict", "mood", "in.jsonl", "-o", "out.jsonl")
    predicted = read_jsonl(tmp_path / "out.jsonl")
    right = sum(row["label"] == row["input_label"] for row in predicted) / len(rows)
    result = assistant("evaluate", "mood", "in.jsonl", "--json")
    measured = json.loads(result.stdout)
    assert measured["rows"] == len(rows)
    assert measured["accuracy"]["value"] == pytest.approx(right)
    assert measured["accuracy"]["low"] <= right <= measured["accuracy"]["high"]
    assert set(measured["f1_by_class"]) == {"good", "bad"}
    assert measured["threshold"] == 0.55
    assert 0 <= measured["coverage"] <= 1
    assert measured["rows_per_second"] > 0


def test_evaluate_prints_lines_and_takes_a_part(assistant, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", *({"text": f"day {n}", "label": "good"} for n in range(40)))
    result = assistant("evaluate", "mood", "in.jsonl", "--limit", "10", "--method", "zero-shot")
    assert result.exit_code == 0, result.stderr
    lines = {line[:28].strip(): line[28:].split() for line in result.stdout.splitlines()}
    assert lines["rows"] == ["10"]
    assert "coverage" not in lines  # zero-shot has no calibrated threshold


def test_evaluate_counts_only_the_named_labels(assistant, tmp_path):
    write_jsonl(
        tmp_path / "in.jsonl",
        *({"premise": f"day {n}", "hypothesis": "sun", "label": "neutral"} for n in range(9)),
    )
    result = assistant("evaluate", "follows", "in.jsonl", "--json", "--labels", "entailment, neutral")
    assert "contradiction" not in json.loads(result.stdout)["f1_by_class"]
    result = assistant("evaluate", "follows", "in.jsonl", "--labels", "entailment,contradiction")
    refused(result, "'neutral'", "entailment, contradiction")
    assert assistant("evaluate", "follows", "in.jsonl", "--labels", "yes,neutral").exit_code == 2
    assert assistant("evaluate", "follows", "in.jsonl", "--labels", "neutral").exit_code == 2


def test_evaluate_names_an_unknown_gold_label(assistant, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", {"text": "x", "label": "good"}, {"text": "x", "label": "so-so"})
    refused(assistant("evaluate", "mood", "in.jsonl"), "'so-so'", "bad, good")
    write_jsonl(tmp_path / "in.jsonl", {"text": "x"})
    refused(assistant("evaluate", "mood", "in.jsonl"), "label")


# --- train --------------------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "mood"
    folder.mkdir(parents=True)
    rows = [
        {"text": f"{text} {n}", "label": label} for n in range(4) for label in TEXTS for text in TEXTS[label]
    ]
    write_jsonl(folder / "train.jsonl", *rows)
    write_jsonl(folder / "dev.jsonl", *rows[:12])
    return folder


def test_train_stops_at_ctrl_c_goes_on_and_makes_an_adapter(assistant, data, tmp_path, site, monkeypatch):
    command = ("train", "mood", "--data", "data", "--out", "new", "--method", "bottleneck", "--rows", "16")
    report = Watch.__call__

    def interrupted(watch: Watch, progress: Progress, steps: int, loss: float) -> bool:
        if progress.step == 1:
            signal.raise_signal(signal.SIGINT)
        return report(watch, progress, steps, loss)

    monkeypatch.setattr(Watch, "__call__", interrupted)
    stopped = assistant(*command)
    assert stopped.exit_code == 130
    assert "Stopped at step 1 of 4" in stopped.stderr
    assert not (tmp_path / "new").exists()

    monkeypatch.setattr(Watch, "__call__", report)
    result = assistant(*command)
    assert result.exit_code == 0, result.stderr
    assert "16 rows to train on, 12 dev rows" in result.stderr
    assert "step 4 of 4" in result.stderr
    record = json.loads((tmp_path / "new.run" / "record.json").read_text())
    assert [evaluation["step"] for evaluation in record["progress"]["history"]] == [2, 4]
    card = (tmp_path / "new" / "README.md").read_text()
    assert "assistant train mood --data DATA --method bottleneck --rows 16" in card
    assert str(tmp_path) not in card

    shutil.rmtree(site / "demo_plugin" / "adapter")
    (tmp_path / "new").rename(site / "demo_plugin" / "adapter")
    evaluated = CliRunner().invoke(main, ["evaluate", "mood", "data/mood/dev.jsonl", "--json"])
    measured = json.loads(evaluated.stdout)
    manifest = json.loads((site / "demo_plugin" / "adapter" / "onebase.json").read_text())
    assert measured["accuracy"]["value"] == pytest.approx(manifest["metrics"]["mood_accuracy"], abs=1e-4)


def test_train_refuses_in_a_sentence(assistant, data, tmp_path):
    refused(assistant("train", "nowhere.yaml", "--data", "data"), "nowhere.yaml")
    refused(assistant("train", "moot", "--data", "data"), "mood")
    refused(assistant("train", "mood", "--data", "elsewhere"), "elsewhere")
    write_jsonl(data / "train.jsonl", {"text": "x", "label": "so-so"})
    refused(assistant("train", "mood", "--data", "data"), "'so-so'", "bad, good")
    assert assistant("train", "mood", "--data", "data", "--epochs", "0").exit_code == 2


# --- plugins ------------------------------------------------------------------------------------------------


def test_plugins_lists_state_and_hooks(assistant):
    for result in (assistant("plugins"), assistant("plugins", "list")):
        (line,) = [line for line in result.stdout.splitlines() if line.startswith("demo ")]
        assert line.split() == ["demo", "active", "onebase-demo", "1.2", "register_applications"]
    records = {record["name"]: record for record in json.loads(assistant("plugins", "list", "--json").stdout)}
    assert records["demo"]["applications"] == ["mood", "follows", "boom"]


def test_plugins_shows_the_error_of_a_broken_one(assistant, site, caplog):
    caplog.set_level(logging.CRITICAL)
    (site / "demo_plugin" / "__init__.py").write_text("import nonexistent_module")
    assert "nonexistent_module" in assistant("plugins").stdout
    shown = assistant("plugins", "show", "demo")
    assert shown.exit_code == 0
    assert "Traceback" in shown.stdout and "failed" in shown.stdout
    refused(assistant("plugins", "show", "dmo"), "'dmo'", "demo")
    told = assistant("ask", "/mood x")
    assert told.exit_code == 1
    assert "'demo' could not be loaded" in told.stderr


def test_plugins_are_switched_off_and_on_without_importing_them(assistant, site):
    (site / "demo_plugin" / "__init__.py").write_text("import os; os._exit(3)")
    assert "installed" in assistant("plugins", "list", "--offline").stdout
    assert assistant("plugins", "disable", "demo").exit_code == 0
    assert "disabled" in assistant("plugins", "list").stdout
    assert assistant("plugins", "enable", "demo").exit_code == 0
    assert "installed" in assistant("plugins", "show", "demo", "--offline").stdout
    refused(assistant("plugins", "disable", "dmo"), "'dmo'", "'demo'")
    assert "demo_plugin" not in sys.modules


# --- compress -----------------------------------------------------------------------------------------------


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """An adapter folder of the application's labels, as a training would leave it."""
    return write_adapter(tmp_path / "trained", labels=("bad", "good"), layers=2)


def test_compress_distill_makes_a_student_and_measures_it(assistant, data, trained, tmp_path):
    (data / "more.jsonl").write_text('{"text": "nobody knows"}\n')
    (tmp_path / "student.yaml").write_text(
        RECIPE + "layers: 1\nunlabelled: [{path: mood/more.jsonl, licence: none stated}]\n"
    )
    command = ("compress", "distill", "student.yaml", "--data", "data", "--teacher", "trained", "--hard")
    result = assistant(*command)
    assert result.exit_code == 0, result.stderr
    assert "24 labelled and 1 unlabelled texts, 12 dev rows" in result.stderr
    assert "The same student on the labels alone" in result.stderr
    assert "The student is in mood-student" in result.stdout
    manifest = json.loads((tmp_path / "mood-student" / "onebase.json").read_text())
    assert manifest["layers"] == 1
    assert manifest["training"]["distillation"] == {"temperature": 2.0, "alpha": 0.9}
    assert [source["rows"] for source in manifest["data"]] == [24, 1]
    assert manifest["metrics"]["times_as_fast_as_the_teacher"] > 0
    assert {"teacher, macro_f1", "labels alone, macro_f1, while training"} <= set(manifest["comparisons"])
    card = (tmp_path / "mood-student" / "README.md").read_text()
    assert "assistant compress distill student.yaml --data DATA --hard" in card


def test_compress_distill_takes_the_students_recipe_of_a_plugin(assistant, data, site, trained, tmp_path):
    student = site / "demo_plugin" / "student"
    student.mkdir()
    (student / "recipe.yaml").write_text(RECIPE.replace("epochs: 2", "epochs: 1"))
    result = assistant(
        "compress",
        "distill",
        "mood",
        "--data",
        "data",
        "--teacher",
        "trained",
        "--rows",
        "8",
        "--layers",
        "1",
    )
    assert result.exit_code == 0, result.stderr
    manifest = json.loads((tmp_path / "mood-student" / "onebase.json").read_text())
    assert manifest["training"]["epochs"] == 1
    assert manifest["layers"] == 1


@pytest.mark.parametrize("kind", ["layers", "weights"])
def test_compress_prune_draws_a_curve(assistant, data, trained, tmp_path, kind):
    command = ("compress", "prune", "mood", "--data", "data", "--adapter", "trained", "--kind", kind)
    recover = ("--recover", "1", "--rows", "8") if kind == "weights" else ()
    result = assistant(*command, "--sparsity", "0,0.5", "--dev-rows", "6", *recover)
    assert result.exit_code == 0, result.stderr
    assert f"The curve is in mood-{kind}" in result.stdout
    curve = json.loads((tmp_path / f"mood-{kind}" / "curve.json").read_text())
    whole, half = curve["points"]
    assert (whole["sparsity"], half["sparsity"]) == (0.0, 0.5)
    assert half["weights"] < whole["weights"]
    assert (half["recovered"] is not None) == bool(recover)
    assert sorted(p.name for p in (tmp_path / f"mood-{kind}").iterdir()) == ["curve.json", "curve.png"]


def test_compress_quantize_compares_schemes(assistant, data, trained, tmp_path):
    result = assistant(
        "compress",
        "quantize",
        "mood",
        "--data",
        "data",
        "--adapter",
        "trained",
        "--rows",
        "4",
        "--out",
        "q.json",
    )
    assert result.exit_code == 0, result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()[2:]] == [
        "float32", "int8", "int8-weights", "int4-weights",
    ]  # fmt: skip
    assert json.loads((tmp_path / "q.json").read_text())[0]["scheme"] == "float32"


def test_compress_refuses_in_a_sentence(assistant, data, trained, tmp_path):
    prune = ("compress", "prune", "mood", "--data", "data", "--adapter", "trained")
    for wrong in ("1", "a", "", "0,-1"):
        result = assistant(*prune, "--kind", "heads", "--sparsity", wrong)
        assert result.exit_code == 2
        assert "numbers from 0 to below 1" in result.stderr
    assert assistant(*prune, "--kind", "layers", "--importance", "gradient").exit_code == 2
    refused(assistant(*prune[:-1], "absent", "--kind", "heads"), "absent")
    distill = ("compress", "distill", "mood", "--data", "data")
    refused(assistant(*distill, "--teacher", "trained", "--layers", "7"), "7 layers")
    refused(assistant("compress", "distill", "moot", "--data", "data"), "mood")
    write_adapter(tmp_path / "other", labels=("x", "y"), layers=1)
    result = assistant(*distill, "--teacher", "other")
    assert result.exit_code == 1
    assert "Error: The teacher has the labels x, y; the student has bad, good." in result.stderr
