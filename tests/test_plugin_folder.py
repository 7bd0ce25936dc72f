"""`assistant new-plugin` and what lies behind it: folders that are whole, that fit their adapter, or are not there."""

from __future__ import annotations

import ast
import gzip
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.cli import main
from assistant.conformance import problems_of_application
from assistant.engine.manifest import read_manifest, write_manifest
from assistant.errors import AdapterError, DataError
from assistant.plugin_source import read_source, tomllib
from assistant.prompts import load_prompt
from assistant.workshop.data import Example
from assistant.workshop.plugin_folder import check_name, write_plugin
from assistant.workshop.prompt_drafts import draft_prompts

ROOT = Path(__file__).parents[1]
ADAPTER = ROOT / "examples/onebase-banking/src/onebase_banking/adapter"
LABELS = ("no", "perhaps", "yes")
ROWS = [Example((f"example {number} of {label}",), label) for number in range(5) for label in LABELS]


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """An adapter folder as `assistant train` leaves it."""
    return shutil.copytree(ADAPTER, tmp_path / "trained")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONEBASE_HOME", str(tmp_path / "home"))
    before, modules = sys.path[:], set(sys.modules)
    yield lambda *arguments: CliRunner().invoke(main, [*map(str, arguments)])
    sys.path[:] = before
    for name in set(sys.modules) - modules:
        if name.startswith("onebase_"):
            del sys.modules[name]


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# --- what is written ----------------------------------------------------------------------------------------


def test_a_new_plugin_is_complete_and_keeps_the_contract(run, tmp_path):
    title = 'The "first" line'
    written = run("new-plugin", "first-line", "--title", title, "--description", "Says it: $x.")
    assert written.exit_code == 0, written.output
    folder = tmp_path / "onebase-first-line"
    package = "src/onebase_first_line"
    assert listing(folder) == {
        "README.md", "pyproject.toml", f"{package}/__init__.py", f"{package}/prompts/en.yaml",
        f"{package}/prompts/pt.yaml", "tests/test_onebase_first_line.py",
    }  # fmt: skip
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["description"]) == ("onebase-first-line", "Says it: $x.")
    assert load_prompt(folder / package / "prompts", "pt").title == title
    checked = run("check", folder, "--engine", "echo")
    assert (checked.exit_code, checked.stdout) == (0, "first-line: all is well.\n"), checked.output


def test_a_plugin_from_an_adapter_fits_it(run, tmp_path, trained):
    rows, labels = tmp_path / "rows.jsonl.gz", read_manifest(trained).labels
    with gzip.open(rows, "wt") as file:
        for label in (*labels, "maybe"):
            print(json.dumps({"text": f"an example of {label}", "label": label}), file=file)
    result = run("new-plugin", "mood", "--from", trained, "--data", rows)
    assert result.exit_code == 0, result.output
    package = tmp_path / "onebase-mood/src/onebase_mood"
    assert read_manifest(package / "adapter").name == "mood"
    assert "# Mood\n" in (package / "adapter/README.md").read_text()
    for file in ("adapter_model.safetensors", "head.safetensors", "adapter_config.json"):
        assert (package / "adapter" / file).read_bytes() == (trained / file).read_bytes()
    assert {shot.label for shot in load_prompt(package / "prompts", "en").shots} == set(labels)
    assert '"credit_limit": "It is: credit limit."' in (package / "__init__.py").read_text()
    assert "clinc150 accuracy: 0.9935" in (tmp_path / "onebase-mood/README.md").read_text()
    checked = run("check", tmp_path / "onebase-mood")  # on the real engine
    assert (checked.exit_code, checked.stdout) == (0, "mood: all is well.\n"), checked.output


def test_a_run_stands_for_the_adapter_beside_it_or_in_it(run, tmp_path, trained):
    (tmp_path / "trained.run").mkdir()
    (tmp_path / "trained.run/record.json").write_text("{}")
    assert run("new-plugin", "mood", "--from", "trained.run").exit_code == 0
    assert (tmp_path / "onebase-mood/src/onebase_mood/adapter/head.safetensors").is_file()
    few_shot = tmp_path / "few-shot"
    few_shot.mkdir()
    (few_shot / "record.json").write_text("{}")
    refused = run("new-plugin", "tone", "--from", few_shot)
    assert refused.exit_code == 1 and "has no adapter in it or beside it" in refused.output
    shutil.copytree(trained, few_shot / "adapter")
    assert run("new-plugin", "tone", "--from", few_shot).exit_code == 0


def test_without_rows_an_adapter_gets_no_prompt_files(trained, tmp_path):
    write_plugin(tmp_path / "x", "mood", "Mood", "Tells the mood.", trained)
    package = tmp_path / "x/src/onebase_mood"
    assert not (package / "prompts").exists()
    assert "prompts = None" in (package / "__init__.py").read_text()


def test_a_pair_is_read_as_one(trained, tmp_path, run):
    write_manifest(read_manifest(trained).model_copy(update={"fields": ("premise", "hypothesis")}), trained)
    assert run("new-plugin", "follow", "--from", trained).exit_code == 0
    checked = run("check", "onebase-follow", "--engine", "echo")
    assert checked.exit_code == 0, checked.output


@settings(deadline=None, max_examples=40)
@given(
    st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=60).filter(str.strip),
    st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(lambda name: len(name) <= 40),
)
def test_any_title_and_name_make_valid_files(tmp_path_factory, title, name):
    try:
        check_name(name)
    except DataError:
        return
    folder = tmp_path_factory.mktemp("any") / "plugin"
    write_plugin(folder, name, title, title)
    source = read_source(folder)
    assert [point.name for point in source.entry_points] == [name]
    code = (folder / "src" / source.entry_points[0].module / "__init__.py").read_text(encoding="utf-8")
    assigned = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Assign)]
    titles = [node.value.value for node in assigned if node.targets[0].id == "title"]
    assert titles == [" ".join(title.split())]
    assert load_prompt(folder / "src" / source.entry_points[0].module / "prompts", "en").title == titles[0]


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Upper",
        "two--hyphens",
        "-x",
        "x-",
        "9x",
        "a_b",
        "é",
        "../x",
        "x" * 41,
        "onebase-x",
        "none",
        "text",
    ],
)
def test_names_that_cannot_be(name, tmp_path):
    with pytest.raises(DataError):
        write_plugin(tmp_path / "folder", name, "Title", "Description.")
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize(("title", "description"), [("", "x"), ("x" * 61, "x"), ("x", "a\0b"), ("x", " \n ")])
def test_texts_that_cannot_be(title, description, tmp_path):
    with pytest.raises(DataError, match="expected one line"):
        write_plugin(tmp_path / "folder", "x", title, description)


def test_an_existing_folder_stays_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes").write_text("mine")
    with pytest.raises(DataError, match="there already"):
        write_plugin(tmp_path / "mine", "x", "X", "X.")
    assert listing(tmp_path) == {"mine/notes"}


def test_what_breaks_half_way_leaves_nothing(trained, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    before = listing(tmp_path)
    with pytest.raises(DataError, match=r"x cannot be written: No space left on device\."):
        write_plugin(tmp_path / "x", "mood", "Mood", "Tells the mood.", trained)
    assert listing(tmp_path) == before and not (tmp_path / "x").exists()


def test_adapters_that_do_not_fit_are_refused(trained, tmp_path):
    with pytest.raises(AdapterError, match="is for 'extract'"):
        write_plugin(tmp_path / "x", "x", "X", "X.", ROOT / "plugins/question_answering/adapter")
    (trained / "README.md").unlink()
    with pytest.raises(AdapterError, match=r"has no README\.md"):
        write_plugin(tmp_path / "x", "x", "X", "X.", trained)
    with pytest.raises(AdapterError, match="There is no adapter folder"):
        write_plugin(tmp_path / "x", "x", "X", "X.", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("x", "--data", "rows.jsonl"), 2, "--data belongs to --from"),
        (("sentiment",), 1, "A plugin 'sentiment' is installed already"),
        (("x", "--from", "nowhere"), 1, "There is no adapter folder"),
    ],
)
def test_wrong_commands_get_a_sentence(run, arguments, status, said):
    result = run("new-plugin", *arguments)
    assert result.exit_code == status and said in result.stderr


# --- drafts of prompt files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "rows", "said"),
    [
        (LABELS, ROWS[:2], "no example of 'yes'"),
        (("no", "yes"), [r for r in ROWS if r.label != "perhaps"][:5], "5 rows are too few"),
        (
            ("Not so", "yes"),
            [Example((f"{n}",), label) for n in range(8) for label in ("Not so", "yes")],
            "labels",
        ),
    ],
)
def test_drafts_need_enough_rows_and_plain_labels(labels, rows, said):
    with pytest.raises(DataError, match=said):
        draft_prompts("X", "X.", ("text",), labels, rows)


def test_drafts_take_each_label_in_turn_and_leave_out_what_makes_no_shot(tmp_path):
    odd = [Example(("long " * 99,), "no"), Example(("two\nlines",), "no"), Example((" ",), "no"), ROWS[0]]
    files = draft_prompts("X: y", "# X", ("text",), LABELS, [*odd, *ROWS])
    for language, text in files.items():
        (tmp_path / f"{language}.yaml").write_text(text, encoding="utf-8")
        prompt = load_prompt(tmp_path, language)
        assert (prompt.title, prompt.description) == ("X: y", "# X")
        assert [shot.label for shot in prompt.shots] == [*LABELS] * 3


# --- check --------------------------------------------------------------------------------------------------

BROKEN = """
import torch
from pathlib import Path
from assistant import Application, Text, TextClassification, hookimpl

class Wrong(TextClassification):
    id, title, description = "wrong", "Wrong", "Is wrong."
    adapter, prompts = Path(__file__).parent / "adapter", Path(__file__).parent
    examples = ("one",)
    sentences = {"en": {"maybe": "Maybe."}}

class Careless(Application):
    id, title, description, task = "sentiment", "Careless", "Is careless.", "summarization"
    examples = ('Say it: "a"', 'Say it: "b"', 'Say it: "c"')
    def answer(self, request, engine):
        yield Text(request.payload.fields["text"].upper())

@hookimpl
def register_applications():
    return [Wrong(), Careless()]

@hookimpl
def review_message(request):
    return request.message[99]
"""


def test_check_says_everything_that_is_wrong(run, tmp_path, trained):
    folder = tmp_path / "broken"
    (folder / "onebase_broken").mkdir(parents=True)
    trained.rename(folder / "onebase_broken/adapter")
    (folder / "pyproject.toml").write_text('[project.entry-points.assistant]\nbroken = "onebase_broken"\n')
    (folder / "onebase_broken/__init__.py").write_text(BROKEN)
    result = run("check", folder, "--engine", "echo")
    assert result.exit_code == 1
    said = result.stdout.splitlines()
    for expected in (
        "Importing onebase_broken imports torch",
        "'wrong' has 1 examples; expected at least 3",
        "has the name 'banking'",
        "The sentences (en) of 'wrong' have maybe",
        "lack en.yaml",
        "'sentiment' is taken by assistant_plugins.sentiment",
        "'sentiment' fails on a message that holds no text: KeyError: 'text'. Expected an InputError",
        "The plugin 'broken' failed in review_message: IndexError",
    ):
        assert any(expected in line for line in said), (expected, said)
    assert f"{len(said)} things to mend." in result.stderr


@pytest.mark.parametrize(
    ("project", "said"),
    [
        (None, "has no pyproject.toml"),
        ("not toml [", "cannot be read"),
        ("[project]\nname = 'x'\n", "has no entry point in [project.entry-points.assistant]"),
        ("[project.entry-points.assistant]\nx = 'nowhere:plugin'\n", "names the package 'nowhere'"),
    ],
)
def test_check_refuses_what_is_no_plugin(run, tmp_path, project, said):
    (tmp_path / "folder").mkdir()
    if project is not None:
        (tmp_path / "folder/pyproject.toml").write_text(project)
    result = run("check", "folder")
    assert result.exit_code == 1 and said in result.stderr and result.stderr.count("\n") == 1


def test_check_tells_why_a_plugin_cannot_be_loaded(run, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/pyproject.toml").write_text('[project.entry-points.assistant]\nx = "onebase_x"\n')
    (tmp_path / "folder/onebase_x.py").write_text("import a_library_that_nobody_has\n")
    result = run("check", "folder", "--engine", "echo")
    assert result.exit_code == 1 and "No module named 'a_library_that_nobody_has'" in result.stdout
    assert result.stderr == "1 thing to mend.\n"


def test_authors_get_the_sentences_in_their_tests():
    from assistant.engine.echo import EchoEngine
    from assistant.testing import check_application

    with pytest.raises(pytest.fail.Exception, match="given where an Application is expected"):
        check_application("x", EchoEngine())


def test_check_by_name(run):
    result = run("check", "sentiment", "--engine", "echo")
    assert (result.exit_code, result.stdout) == (0, "sentiment: all is well.\n"), result.output
    result = run("check", "sentimnet")
    assert result.exit_code == 1 and "did you mean 'sentiment'" in result.stderr
    for path in ("./nosuchdir", "plugins/nosuchdir", "~/nosuchdir"):
        assert run("check", path).stderr == f"Error: There is no folder {path}.\n"


def test_what_is_no_application_is_told():
    from assistant.engine.echo import EchoEngine

    assert list(problems_of_application("x", EchoEngine())) == [
        "a value of type str was given where an Application is expected."
    ]
