"""Each way in which a plugin can fail costs that plugin only. The plugins are the files in tests/plugins."""

import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from fake_plugins import NAMES, points, record

from assistant import (
    Application,
    InputError,
    Labels,
    Notice,
    PluginError,
    Reply,
    ReplyPart,
    Request,
    Route,
    Text,
    Vote,
)
from assistant.engine.echo import EchoEngine
from assistant.plugins import PluginManager, PluginRecord
from assistant.settings import Limits, Settings

pytestmark = pytest.mark.usefixtures("fake_plugins")
ENGINE = EchoEngine()

Manager = Callable[..., PluginManager]


@pytest.fixture
def manager(tmp_path: Path) -> Manager:
    """A manager of the named plugins, with short deadlines."""

    def make(*names: str, strict: bool = False, **limits: float) -> PluginManager:
        short = {"deadline": 0.3, "vote_deadline": 0.3, "review_deadline": 0.3, "reply_parts": 50}
        settings = Settings(home=tmp_path, strict=strict, limits=Limits(**{**short, **limits}))  # type: ignore[arg-type]
        return PluginManager(settings, points(*names))

    return make


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


REPLY = Reply(Route("good", 1.0, "pinned"), done=True)


# --- a good plugin


def test_a_good_plugin_is_listed_asked_and_heard(manager: Manager) -> None:
    plugins = manager("well_behaved")
    assert plugins.records == (
        PluginRecord(
            "well_behaved",
            distribution="",
            version="",
            hooks=("register_applications", "review_message", "vote_route"),
            state="active",
            applications=("good",),
        ),
    )
    assert plugins.applications["good"].title == "Skill"
    request = Request("look here")
    assert plugins.votes(request) == [
        Vote("good", 0.5, "it is good")
    ]  # not the one for what is not installed
    assert plugins.notices(request, REPLY, ENGINE) == [Notice("Seen.", kind="seen")]
    assert plugins.notices(Request("hello"), REPLY, ENGINE) == []
    first, labels, last = plugins.answer("good", request, ENGINE)
    assert (first, last) == (Text("look here"), Text("the end"))
    assert isinstance(labels, Labels)


def test_methods_of_plugins_stand_beside_the_built_in_ones(manager: Manager) -> None:
    plugins = manager("brings_method")
    built_in = ["zero-shot", "few-shot", "feature-based", "lora", "bottleneck", "fine-tuning"]
    assert list(plugins.methods) == [*built_in, "majority"]
    assert record(plugins, "brings_method").methods == ("majority",)
    assert list(manager("well_behaved").methods) == built_in


def test_the_answer_streams_and_closing_it_stops_the_application(manager: Manager) -> None:
    plugins = manager("well_behaved")
    parts = plugins.answer("good", Request("hello"), ENGINE)
    assert next(parts) == Text("hello")
    parts.close()  # type: ignore[attr-defined]
    ended = sys.modules["well_behaved"].ended
    wait_until(lambda: bool(ended))
    assert ended == ["closed"]
    assert record(plugins, "well_behaved").error == ""


def test_what_is_wrong_with_the_message_is_told_to_the_visitor(manager: Manager) -> None:
    plugins = manager("well_behaved")
    with pytest.raises(InputError, match=r"^This cannot be worked on\.$"):
        list(plugins.answer("good", Request("refuse"), ENGINE))
    assert record(plugins, "well_behaved").error == ""


def test_the_consumer_may_take_its_time(manager: Manager) -> None:
    parts = manager("well_behaved", deadline=0.2).answer("good", Request("hello"), ENGINE)
    first = next(parts)
    time.sleep(0.3)
    assert [first, *parts][-1] == Text("the end")


def test_plugins_come_from_the_installed_distributions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "onebase_shout-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: onebase-shout\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text("[assistant]\nshout = well_behaved\n")
    monkeypatch.syspath_prepend(tmp_path)
    settings = Settings(home=tmp_path, allowed_plugins=frozenset({"shout"}))
    shout = record(PluginManager(settings), "shout")
    assert (shout.state, shout.distribution, shout.version) == ("active", "onebase-shout", "1.2")


# --- plugins that cannot be loaded


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fails_to_import", "No module named 'a_library_that_nobody_has'"),
        ("exits_on_import", "SystemExit"),
        ("misspells_hook", "'register_application' is no hook; did you mean 'register_applications'?"),
        ("forgets_hookimpl", "implements no hook"),
        ("wrong_argument", "vote_route"),
        ("raises_in_register", "KeyError: 'no such skill'"),
        ("garbage_in_register", "expected"),
        ("duplicates_id", "the application id 'good' is taken by the plugin 'a_good_one'"),
        ("duplicates_method", "the method id 'lora' is taken by a built-in one"),
        ("garbage_in_methods", "where a Method is expected"),
        ("hangs_in_import", "not ready within 0.3 seconds"),
        ("is_not_installed", "No module named 'is_not_installed'"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_costs_itself_only(tmp_path: Path, name: str, said: str) -> None:
    limits = Limits(import_deadline=0.3 if name.startswith("hangs") else 20.0)
    good = EntryPoint("a_good_one", "well_behaved", "assistant")
    plugins = PluginManager(Settings(home=tmp_path, limits=limits), [*points(name), good])
    failed = record(plugins, name)
    assert failed.state == "failed"
    assert failed.error.startswith(f"The plugin {name!r} could not be loaded: ")
    assert said in failed.error
    assert failed.error.count("\n") == 0
    assert "Traceback" in failed.traceback
    assert failed.applications == ()
    assert set(plugins.applications) == {"good"}
    assert plugins.votes(Request("hello")) == [Vote("good", 0.5, "it is good")]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("fails_to_import", ModuleNotFoundError),
        ("raises_in_register", KeyError),
        ("misspells_hook", PluginError),
    ],
)
def test_strict_raises_what_the_plugin_raised(manager: Manager, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        manager(name, strict=True)


def test_of_two_plugins_with_one_name_the_first_is_loaded(tmp_path: Path) -> None:
    both = [EntryPoint("same", value, "assistant") for value in ("well_behaved", "raises_in_vote")]
    first, second = PluginManager(Settings(home=tmp_path), both).records
    assert {first.state, second.state} == {"active", "failed"}
    assert "There is a plugin 'same' already" in first.error + second.error


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("id", "Upper case"),
        ("id", None),
        ("title", " "),
        ("description", 3),
        ("task", "telepathy"),
        ("fields", ()),
        ("fields", "text"),
        ("examples", "one text"),
        ("examples", (1, 2)),
        ("cues", [""]),
        ("adapter", "a/text"),
        ("prompts", "a/text"),
    ],
)
def test_an_application_that_cannot_be_used_is_refused(
    manager: Manager, attribute: str, value: object
) -> None:
    manager("well_behaved")
    good: type[Application] = sys.modules["well_behaved"].Good
    setattr(good, attribute, value)
    failed = record(manager("well_behaved"), "well_behaved")
    assert failed.state == "failed"
    assert attribute in failed.error


def test_an_adapter_that_is_missing_costs_the_answer_only(manager: Manager) -> None:
    plugins = manager("missing_adapter")
    assert record(plugins, "missing_adapter").state == "active"
    with pytest.raises(PluginError, match=r"'missing_adapter' failed in answer: .*no/such/folder"):
        list(plugins.answer("unfinished", Request("hello"), ENGINE))


# --- plugins that fail when they are called


def test_an_answer_that_raises_costs_that_answer(manager: Manager) -> None:
    plugins = manager("raises_in_answer")
    parts = plugins.answer("skill", Request("my secret"), ENGINE)
    assert next(parts) == Text("so far so good")
    with pytest.raises(PluginError, match=r"'raises_in_answer' failed in answer: ValueError") as caught:
        next(parts)
    assert isinstance(caught.value.__cause__, ValueError)
    failed = record(plugins, "raises_in_answer")
    assert failed.state == "active"
    assert "raises_in_answer.py, line 11" in failed.error
    assert "raise ValueError" in failed.traceback
    assert "secret" not in failed.error + failed.traceback + str(caught.value)


@pytest.mark.parametrize(
    "garbage",
    ["text", "none", "dict", "number in a text", "label without probability", "not a number", "no iterator"],
)
def test_an_answer_of_the_wrong_type_is_refused(manager: Manager, garbage: str) -> None:
    plugins = manager("garbage_in_answer")
    with pytest.raises(PluginError, match="'garbage_in_answer' failed in answer"):
        list(plugins.answer("skill", Request(garbage), ENGINE))
    assert record(plugins, "garbage_in_answer").error


@pytest.mark.parametrize("way", ["raises_in", "garbage_in", "hangs_in"])
@pytest.mark.parametrize(("step", "hook"), [("vote", "vote_route"), ("review", "review_message")])
def test_a_hook_that_fails_costs_itself_only(manager: Manager, way: str, step: str, hook: str) -> None:
    name = f"{way}_{step}"
    plugins = manager(name, "well_behaved")
    request = Request("look here")
    assert plugins.votes(request) == [Vote("good", 0.5, "it is good")]
    assert plugins.notices(request, REPLY, ENGINE) == [Notice("Seen.", kind="seen")]
    failed = record(plugins, name)
    assert f"The plugin {name!r} failed in {hook}: " in failed.error
    assert failed.traceback
    assert failed.state == ("failed" if way == "hangs_in" else "active")


def test_strict_raises_what_a_call_raised(manager: Manager) -> None:
    with pytest.raises(KeyError):
        manager("raises_in_vote", strict=True).votes(Request("hello"))
    with pytest.raises(ValueError, match="cannot work on"):
        list(manager("raises_in_answer", strict=True).answer("skill", Request("hello"), ENGINE))


def test_a_hanging_plugin_is_asked_no_more_until_its_call_comes_back(manager: Manager) -> None:
    plugins = manager("hangs_in_vote")
    for _ in range(3):
        assert plugins.votes(Request("hello")) == []
    hanging = sys.modules["hangs_in_vote"]
    assert hanging.calls == ["hello"]
    assert plugins.applications == {}
    with pytest.raises(PluginError, match="Skill is out of service"):
        list(plugins.answer("skill", Request("hello"), ENGINE))
    hanging.release.set()
    wait_until(lambda: record(plugins, "hangs_in_vote").state == "active")
    assert list(plugins.answer("skill", Request("hello"), ENGINE)) == [Text("hello")]
    assert (
        "not ready within 0.3 seconds" in record(plugins, "hangs_in_vote").error
    )  # what happened stays listed


def test_a_hanging_answer_is_given_up(manager: Manager) -> None:
    plugins = manager("hangs_in_answer", "well_behaved")
    parts = plugins.answer("skill", Request("hello"), ENGINE)
    assert next(parts) == Text("so far so good")
    with pytest.raises(PluginError, match=r"failed in answer: it was not ready within 0\.3 seconds"):
        next(parts)
    assert record(plugins, "hangs_in_answer").state == "failed"
    assert set(plugins.applications) == {"good"}


def test_what_never_ends_is_ended(manager: Manager) -> None:
    plugins = manager("never_ends", vote_deadline=10, deadline=10)
    with pytest.raises(PluginError, match="more than 50 reply parts"):
        list(plugins.answer("skill", Request("hello"), ENGINE))
    assert plugins.votes(Request("hello")) == []
    assert "more than 1000 values" in record(plugins, "never_ends").error


def test_an_unknown_application_is_named(manager: Manager) -> None:
    with pytest.raises(PluginError, match="no application 'sentimint'"):
        list(manager().answer("sentimint", Request("hello"), ENGINE))


def test_visitors_at_once_get_their_own_answers(manager: Manager) -> None:
    plugins = manager("well_behaved", deadline=10)
    said: dict[str, ReplyPart] = {}

    def visit(name: str) -> None:
        said[name], *_ = plugins.answer("good", Request(name), ENGINE)

    visitors = [threading.Thread(target=visit, args=(f"visitor {i}",)) for i in range(16)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert said == {f"visitor {i}": Text(f"visitor {i}") for i in range(16)}


def test_all_of_them_together_leave_the_good_ones_alone(manager: Manager) -> None:
    names = [name for name in NAMES if name != "duplicates_id"]  # it would come before the good one
    plugins = manager(*names, import_deadline=1.0)
    assert [record.name for record in plugins.records] == names
    request = Request("look here")
    assert plugins.votes(request) == [Vote("good", 0.5, "it is good")]
    assert plugins.notices(request, REPLY, ENGINE) == [Notice("Seen.", kind="seen")]
    assert list(plugins.answer("good", request, ENGINE))[-1] == Text("the end")
