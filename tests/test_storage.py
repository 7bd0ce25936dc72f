"""What the browser keeps, and what a person takes away."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reply_strategies import replies, texts

from assistant import Citation, Labels, LabelScore, Reply, Route, Span, Spans, Text
from assistant.applications import ReplyPart
from assistant.web import export, storage
from assistant.web.language import strings_for
from assistant.web.storage import Conversation


@given(st.lists(st.tuples(texts, replies), max_size=3))
def test_a_conversation_survives_the_browser(exchanges):
    conversation = Conversation()
    for message, reply in exchanges:
        conversation = conversation.said(message).answered(reply)
    stored = json.loads(json.dumps(storage.to_json(conversation)))
    assert storage.from_json(stored) == conversation


shapes = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "entries", "turn", "role"]), inner)
    ),
)


@given(shapes)
def test_anything_else_from_the_browser_is_a_new_conversation(garbage):
    assert isinstance(storage.from_json(garbage), Conversation)
    assert isinstance(storage.remember(garbage, Conversation().said("x")), list)
    assert isinstance(storage.titles(garbage, "untitled"), list)
    assert storage.find(garbage, "x").turns == ()


def answered(*messages: str) -> Conversation:
    conversation = Conversation()
    for message in messages:
        reply = Reply(Route("mood", 1, ""), (Text(f"about {message}"),), done=True)
        conversation = conversation.said(message).answered(reply)
    return conversation


def test_a_growing_reply_stays_one_entry():
    conversation = answered("one").answered(Reply(Route("mood", 1, ""), (Text("longer"),)))
    assert [turn.text for turn in conversation.turns] == ["one", "longer"]


@pytest.mark.parametrize(
    ("index", "left", "message"), [(3, 2, "two"), (2, 2, "two"), (1, 0, "one"), (9, 2, "two"), (-1, 4, "")]
)
def test_going_back_before_an_exchange(index, left, message):
    conversation, said = answered("one", "two").before(index)
    assert (len(conversation.entries), said) == (left, message)


def test_the_library_has_the_latest_first_and_no_empty_one():
    first, second = answered("first"), answered("second")
    library = storage.remember(storage.remember([], first), second)
    assert storage.titles(library, "untitled") == [("second", second.id), ("first", first.id)]
    assert storage.remember(library, first) == library
    assert storage.remember(library, Conversation()) == library
    longer = storage.find(library, first.id).said("more")
    assert [id_ for _, id_ in storage.titles(storage.remember(library, longer), "")] == [first.id, second.id]
    assert storage.titles(storage.forget(library, second.id), "") == [("first", first.id)]


def test_old_conversations_give_way(monkeypatch):
    monkeypatch.setattr(storage, "MAX_STORED", 2_000)
    library: list = []
    for number in range(20):
        library = storage.remember(library, answered(f"message {number}"))
    assert 1 < len(library) < 20
    assert storage.titles(library, "")[0][0] == "message 19"
    assert answered("x" * 2_000).full


def test_what_the_browser_keeps_fits_into_its_storage():
    exchange = 2 * 100_000  # a message and its reply, in the open conversation and in the library
    encrypted = (2 * storage.MAX_STORED + 2 * exchange) * 4 / 3
    assert encrypted < 5 * 1024 * 1024


def test_a_damaged_conversation_is_none():
    damaged = {"id": "a", "entries": [{"turn": {"role": "nobody"}}]}
    library = storage.remember([damaged, "x", {"entries": []}], answered("first"))
    assert [title for title, _ in storage.titles([damaged, *library], "untitled")] == ["first"]


def test_a_title_is_one_short_line():
    assert Conversation().title("nothing yet") == "nothing yet"
    title = answered("a\n\nb " + "c" * 100).title("")
    assert title.startswith("a b c")
    assert len(title) == storage.MAX_TITLE


def test_markdown_for_reading_elsewhere():
    reply = Reply(
        Route("mood", 1, ""),
        (
            Text("![x](http://example.org/x.png) <b>"),
            Labels((LabelScore("yes|no", 0.75),)),
            Citation("a.pdf", 2, "it *says*"),
            Spans("so bad", (Span(3, 6, "no", 0.5),)),
        ),
        done=True,
    )
    text = export.markdown(
        Conversation().said("```\n# hi").answered(reply), {"mood": "Mood"}, strings_for("en")
    )
    assert "````text\n```\n# hi\n````" in text
    assert r"\!\[x\](http://example.org/x.png) \<b\>" in text
    assert r"| yes\|no | 75 % |" in text
    assert r"> it \*says\*" in text
    assert "- bad: +0.50" in text
    assert "## Assistant · Mood" in text


def exported(*parts: ReplyPart) -> list[str]:
    """The lines of a reply in Markdown, but for its heading."""
    conversation = Conversation().said("x").answered(Reply(Route("mood", 1, ""), parts, done=True))
    return export.markdown(conversation, {}, strings_for("en")).split("## Assistant")[1].splitlines()[2:]


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("---", r"\---"),
        ("===", r"\==="),
        ("- a", r"\- a"),
        ("+ a", r"\+ a"),
        ("1. a", r"1\. a"),
        ("12) a", r"12\) a"),
        ("1.5 to 2-3", "1.5 to 2-3"),
    ],
)
def test_no_line_of_a_text_becomes_a_list_or_a_rule(line, written):
    assert exported(Text(f"It says:\n{line}\n\n{line}")) == ["It says:\\", written, "", written]


def test_spans_stand_under_what_they_are():
    corrected = exported(Spans("He go", (Span(3, 5, "verb", replacement="goes"),)))
    assert corrected == ["Suggested changes:", "", "- go: → goes"]
    names = exported(Spans("Ana, Rio", (Span(0, 3, "person"), Span(5, 8, "place"))))
    assert names == ["Found in the text:", "", "- Ana: person", "- Rio: place"]
