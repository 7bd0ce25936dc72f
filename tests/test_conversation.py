"""A conversation as JSON: there and back, and a sentence for what is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import InputError, Payload, Turn
from assistant.conversation import clean, clean_turn, from_json, to_json
from assistant.settings import Limits

TURN = {"role": "user", "text": "hello", "application": None, "payload": None}

texts = st.text(max_size=20)
values = texts | st.lists(texts, max_size=3).map(tuple)
payloads = st.builds(
    Payload, st.dictionaries(texts, values, max_size=3), st.dictionaries(texts, texts, max_size=2)
)
turns = st.builds(
    Turn, st.sampled_from(["user", "assistant"]), texts, st.none() | texts, st.none() | payloads
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*TURN, "fields", "options"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.lists(turns, max_size=4).map(tuple))
def test_there_and_back(conversation: tuple[Turn, ...]) -> None:
    written = json.loads(json.dumps(to_json(conversation)))
    assert from_json(written) == tuple(clean_turn(turn) for turn in conversation)


@given(st.lists(anything, max_size=3) | anything)
def test_any_json_gives_turns_or_one_sentence(data: Any) -> None:
    try:
        conversation = from_json(data)
    except InputError as error:
        assert "conversation cannot be read" in str(error)
    else:
        assert from_json(to_json(conversation)) == conversation


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "it is of type dict"),
        ("[]", "it is of type str"),
        ([1], "0"),
        ([{**TURN, "role": "system"}], "0.role"),
        ([{**TURN, "text": 5}], "0.text"),
        ([{"role": "user"}], "0.text"),
        ([{**TURN, "mood": "good"}], "0.mood"),
        ([TURN, {**TURN, "payload": {"fields": {"text": [1]}}}], "1.payload.fields.text"),
        ([{**TURN, "payload": {"fields": {}, "options": {"length": 3}}}], "0.payload.options.length"),
    ],
)
def test_a_wrong_shape_is_named(data: Any, reason: str) -> None:
    with pytest.raises(InputError, match="cannot be read") as caught:
        from_json(data)
    assert reason in str(caught.value)
    with pytest.raises(InputError, match="Não consigo"):
        from_json(data, language="pt")


def test_of_a_long_conversation_the_last_turns_stay() -> None:
    conversation = tuple(Turn("user", str(i)) for i in range(10))
    assert from_json(to_json(conversation), Limits(history_turns=3)) == conversation[-3:]


@given(st.text(st.characters()))
def test_clean_text_is_text(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert clean(cleaned) == cleaned
    assert not any(ord(c) < 32 and c not in "\n\t" for c in cleaned)
    assert [c for c in cleaned if c.isalnum()] == [c for c in text if c.isalnum()]
