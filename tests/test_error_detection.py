"""Error detection: what each tag becomes, whom it does not alarm, and what it says."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import pytest
from assistant_plugins.error_detection import ErrorDetection, register_applications
from assistant_plugins.error_detection.corrections import corrections, is_foreign
from assistant_plugins.error_detection.edits import Edit, apart, applied, combined
from assistant_plugins.error_detection.inflection import transformed
from assistant_plugins.error_detection.spelling import dictionary, slipped
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import BertPreTokenizer

from assistant import InputError, Payload, Progress, ReplyPart, Request, Spans, Table, Text
from assistant.engine.base import AdapterInfo, BaseInfo, Engine, Operation, Tag
from assistant.engine.echo import EchoEngine
from assistant.prompts import load_prompt

Labels = Mapping[str, str]
WORDS = BertPreTokenizer()


def tags(text: str, labels: Labels, probability: float = 0.9) -> list[Tag]:
    """Each word with its label, by the word or by its number; KEEP without one."""
    return [
        Tag(start, end, labels.get(word, labels.get(str(number), "KEEP")), probability)
        for number, (word, (start, end)) in enumerate(WORDS.pre_tokenize_str(text))
    ]


class Tagger(Engine):
    """Gives words the labels it was told."""

    operations: ClassVar[frozenset[Operation]] = frozenset({"tag"})

    def __init__(self, labels: Labels, probability: float = 0.9) -> None:
        self.info = BaseInfo("fake", "0" * 64, 0, "none", 0)
        self.labels, self.probability = labels, probability
        self.read: list[str] = []

    def adapter(self, adapter: Path) -> AdapterInfo:
        return AdapterInfo(adapter, "fake", "lora", "tag", ("KEEP",), 0.6, 0, 0, {}, (), "")

    def tag(self, inputs: Sequence[str], adapter: Path) -> list[tuple[Tag, ...]]:
        self.read += inputs
        return [tuple(tags(text, self.labels, self.probability)) for text in inputs]


def reply(text: str, engine: Engine, language: str = "en") -> list[ReplyPart]:
    request = Request(text, language=language, payload=Payload({"text": text}))
    return [part for part in ErrorDetection().answer(request, engine) if not isinstance(part, Progress)]


def fixed(text: str, labels: Labels) -> str:
    return applied(text, corrections(text, tags(text, labels), 0.5))


@pytest.mark.parametrize(
    ("text", "labels", "right", "kind"),
    [
        ("It is a the house.", {"a": "DELETE"}, "It is the house.", "grammar"),
        ("The the house is big.", {"The": "DELETE"}, "The house is big.", "grammar"),
        ("I think, that it is so.", {",": "DELETE"}, "I think that it is so.", "punctuation"),
        ("I have two siences to learn.", {"siences": "SPELL"}, "I have two sciences to learn.", "spelling"),
        ("The tecnologgies are new.", {"tecnologgies": "SPELL"}, "The technologies are new.", "spelling"),
        ("There are to many of them.", {"to": "REPLACE_too"}, "There are too many of them.", "word choice"),
        ("Their are many of them.", {"Their": "REPLACE_there"}, "There are many of them.", "word choice"),
        ("She don't like it.", {"don": "REPLACE_doesn't"}, "She doesn't like it.", "grammar"),
        ("The dog lost it's ball.", {"it": "REPLACE_its"}, "The dog lost its ball.", "word choice"),
        ("Where are you.", {".": "REPLACE_?"}, "Where are you?", "punctuation"),
        ("We went home", {"home": "APPEND_."}, "We went home.", "punctuation"),
        ("However it is late.", {"However": "APPEND_,"}, "However, it is late.", "punctuation"),
        ("I have apple.", {"have": "APPEND_a"}, "I have an apple.", "grammar"),
        ("I read in university.", {"in": "APPEND_an"}, "I read in a university.", "grammar"),
        ("House is big.", {"House": "PREPEND_the"}, "The house is big.", "grammar"),
        ("I have two dog.", {"dog": "TRANSFORM_PLURAL"}, "I have two dogs.", "grammar"),
        ("This is a children.", {"children": "TRANSFORM_SINGULAR"}, "This is a child.", "grammar"),
        ("He go home.", {"go": "TRANSFORM_VERB_S"}, "He goes home.", "grammar"),
        ("They have went home.", {"went": "TRANSFORM_VERB_PARTICIPLE"}, "They have gone home.", "grammar"),
        ("I know some one.", {"some": "MERGE_NEXT"}, "I know someone.", "spelling"),
        ("This is a well known man.", {"well": "HYPHEN"}, "This is a well-known man.", "punctuation"),
        ("What you are doing?", {"you": "SWAP_NEXT"}, "What are you doing?", "grammar"),
        ("You are here, right?", {"You": "SWAP_NEXT"}, "Are you here, right?", "grammar"),
        ("This is my brothers car.", {"brothers": "APOSTROPHE"}, "This is my brother's car.", "punctuation"),
        ("and i am here.", {}, "And I am here.", "spelling"),
        ("We dont know that.", {}, "We don't know that.", "spelling"),
        ("They have recieved the letter.", {}, "They have received the letter.", "spelling"),
    ],
)
def test_what_a_tag_becomes(text: str, labels: Labels, right: str, kind: str) -> None:
    found = corrections(text, tags(text, labels), 0.5)
    assert applied(text, found) == right
    assert {edit.kind for edit in found} == {kind}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("I have a book.", {"have": "TRANSFORM_PLURAL", ".": "APPEND_.", "book": "REPLACE_book"}),
        ("We went home.", {"home": "APPEND_."}),
        ("The house is big.", {"house": "SPELL", "big": "NO_SUCH_LABEL", ".": "REPLACE_the"}),
        ("It is what it is, it's so.", {"s": "REPLACE_is", "'": "SWAP_NEXT", ".": "MERGE_NEXT"}),
        ("I am here.", {"here": "APOSTROPHE"}),
    ],
)
def test_a_tag_that_makes_no_sense_changes_nothing(text: str, labels: Labels) -> None:
    assert fixed(text, labels) == text


@pytest.mark.parametrize(
    "text",
    [
        "Zdravko Kowalczyk met Nguyen in Szczecin.",
        "See https://exampel.com/teh/reprot or write to jhon@mial.com for it.",
        "I told @johnn that #teh was `recieve(x)` in main_functon.py on the 21st.",
        "NASA and the OECD use iPhones, PyTorch and kubernetes for it.",
        "The blockchain startup has a podcast and an app.",
        "My favourite colour is grey, and I realise that the theatre programme is online.",
        "O gato está na casa e não quer sair.",
        "Wir haben keine Zeit mehr für dich.",
        "Me llamo Juan y vivo en Madrid.",
        "import numpy as np",
        "hello world",
        "?!",
    ],
)
def test_no_alarm(text: str) -> None:
    everything_is_misspelt = [Tag(t.start, t.end, "SPELL", 0.9) for t in tags(text, {})]
    assert corrections(text, everything_is_misspelt, 0.5) == []
    assert corrections(text, [], 0.5) == []


def test_nothing_is_done_to_another_language() -> None:
    assert fixed("O gato está na casa e não quer sair", {"gato": "APPEND_the", "sair": "APPEND_."}).endswith(
        "sair"
    )
    assert is_foreign("O gato está na casa e não quer sair")
    assert not is_foreign("I recieved yuor mesage and will definately come")


@pytest.mark.parametrize("piece", ["a", ".", "a-", "a@", "1a"])
def test_a_long_run_of_signs_is_read_at_once(piece: str) -> None:
    assert corrections(piece * (100_000 // len(piece)), [], 0.5) == []


@pytest.mark.parametrize(
    "text",
    [
        "Mail teh@example.org now.",
        "See (docs/teh.txt) first.",
        "Call teh() twice.",
        "It is #teh_best=teh here.",
    ],
)
def test_addresses_paths_and_code_are_left_alone(text: str) -> None:
    assert corrections(text, [], 0.5) == []


def test_below_the_threshold_a_tag_is_not_believed() -> None:
    text = "The man go home."
    assert corrections(text, tags(text, {"go": "TRANSFORM_VERB_S"}, probability=0.4), 0.5) == []


def test_the_tagger_can_overrule_the_dictionary() -> None:
    text = "They have recieved the letter."
    assert corrections(text, tags(text, {}, probability=0.99), 0.5) == []


def test_the_dictionary() -> None:
    words = dictionary()
    assert words.knows("colour") and words.knows("Emojis") and not words.knows("recieve")
    assert words.corrected("definately") == "definitely" and words.corrected("tecnologgies") == "technologies"
    assert words.corrected("alot") == "a lot"
    easily = {"tommorow": "tomorrow", "becuase": "because", "dengerous": "dangerous", "gratefull": "grateful"}
    assert {word: words.certain(word) for word in easily} == easily
    hardly = {"imidiatly": "immediately", "thay": "they", "encurge": "encourage", "baed": "based"}
    assert {word: words.corrected(word) for word in hardly} == hardly
    assert words.certain("throught") is None  # through, or thought
    regular = ["buyed", "runned", "writed", "hurted", "childs", "womans"]
    assert [*map(words.certain, regular)] == ["bought", "ran", "wrote", "hurt", "children", "women"]
    assert words.certain("stoped") == "stopped"
    for nothing in ("house", "xqzwvk", "straße", "x"):
        assert words.corrected(nothing) is None and words.certain(nothing) is None
    began = time.perf_counter()
    words.corrected("incomprehensibilitties")
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "word",
    ["occured", "refering", "controled", "surprized", "wellfare", "auxilliary", "resistent", "targetted"],
)
def test_a_misspelling_that_the_dictionary_of_inflections_has_is_one(word: str) -> None:
    assert not dictionary().knows(word)


@pytest.mark.parametrize(
    "word",
    "behaviour organisations analysed kilometres travelled signalling fulfilment sceptical paediatric encyclopaedia "  # noqa: SIM905
    "catalogue programmes draught offences centred artefacts pyjamas sulphur quarrelled marvellous".split(),
)
def test_british_spellings_are_right(word: str) -> None:
    assert dictionary().knows(word)


def test_slips_have_their_likelihood() -> None:
    assert slipped("house", "house") == 0
    likely = [("comitee", "committee"), ("freind", "friend"), ("seperate", "separate")]
    unlikely = [("comitbe", "committee"), ("frxend", "friend"), ("sepqrate", "separate")]
    for (one, right), (other, _) in zip(likely, unlikely, strict=True):
        assert slipped(other, right) < slipped(one, right) < 0
    assert slipped("ousehold", "household") < slipped("houshold", "household")


def test_inflection() -> None:
    assert transformed("went", "VERB_ING") == "going" and transformed("children", "SINGULAR") == "child"
    assert transformed("xqzwvk", "PLURAL") is None and transformed("go", "VERB_NOSUCH") is None


def test_the_parts_of_a_reply() -> None:
    text = "I have two dog. He go home."
    said, spans, after = reply(text, Tagger({"dog": "TRANSFORM_PLURAL", "go": "TRANSFORM_VERB_S"}))
    assert isinstance(said, Text) and said.text.startswith("2 mistakes found.")
    assert isinstance(spans, Spans) and spans.text == text
    assert [(text[s.start : s.end], s.replacement, s.label, s.weight) for s in spans.spans] == [
        ("dog", "dogs", "grammar", 0.9),
        ("go", "goes", "grammar", 0.9),
    ]
    assert after == Text("I have two dogs. He goes home.", copyable=True)


def test_one_mistake_none_and_portuguese() -> None:
    tagger = Tagger({"dog": "TRANSFORM_PLURAL"})
    assert reply("I have two dog.", tagger)[0].text.startswith("1 mistake found.")  # type: ignore[union-attr]
    assert reply("I have two dogs.", tagger) == [Text("No mistakes found.")]
    assert reply("I have two dogs.", tagger, "pt") == [Text("Nenhum erro encontrado.")]
    said, spans, _ = reply("I have two dog.", tagger, "pt")
    assert isinstance(said, Text) and said.text.startswith("1 erro encontrado.")
    assert isinstance(spans, Spans) and spans.spans[0].label == "gramática"


def test_the_second_round_reads_only_what_has_changed_and_there_is_no_third() -> None:
    tagger = Tagger({"dog": "TRANSFORM_PLURAL", "dogs": "APPEND_of", "of": "APPEND_of"})
    _, spans, after = reply("I have two dog. It is so.", tagger)
    assert tagger.read == ["I have two dog.", "It is so.", "I have two dogs."]
    assert after == Text("I have two dogs of. It is so.", copyable=True)
    assert isinstance(spans, Spans) and [s.replacement for s in spans.spans] == ["dogs of"]


def test_a_missing_text_is_asked_for() -> None:
    for payload in (None, Payload({}), Payload({"text": " \n"})):
        with pytest.raises(InputError, match="needs a text"):
            list(ErrorDetection().answer(Request("", payload=payload), Tagger({})))


def test_a_long_text_shows_its_progress() -> None:
    text = "\n\n".join(["I have two dog. She said: “It is so.” Mr. Smith went home."] * 60)
    request = Request("", payload=Payload({"text": text}))
    parts = list(ErrorDetection().answer(request, Tagger({"dog": "TRANSFORM_PLURAL"})))
    assert [part.done for part in parts if isinstance(part, Progress)] == list(range(0, 180, 32))
    assert parts[-1] == Text(text.replace("dog", "dogs"), copyable=True)


def test_two_edits_of_one_edited_place_are_both_made() -> None:
    text, first = "a b c", [Edit(2, 3, "grammar", "x y", 0.9)]
    second = [Edit(2, 3, "spelling", "xx", 0.8), Edit(4, 5, "grammar", "yy", 0.7)]
    assert combined(text, first, second) == [Edit(2, 3, "spelling", "xx yy", 0.7)]


@st.composite
def texts_with_edits(draw: st.DrawFn) -> tuple[str, list[Edit], list[Edit]]:
    def edits(length: int) -> list[Edit]:
        places = st.integers(0, length)
        spans = draw(st.lists(st.tuples(places, places, st.text("xyz", max_size=3)), max_size=4))
        made = [Edit(min(a, b), max(a, b), "grammar", new, 0.5) for a, b, new in spans if a != b]
        return apart(made)

    text = draw(st.text("abc ", max_size=20))
    first = edits(len(text))
    return text, first, edits(len(applied(text, first)))


@given(texts_with_edits())
def test_edits_of_two_rounds_become_one(case: tuple[str, list[Edit], list[Edit]]) -> None:
    text, first, second = case
    whole = combined(text, first, second)
    assert all(one.end <= other.start for one, other in pairwise(whole))
    # Two edits of the second round in one place of the first cannot both be kept.
    if len(second) <= 1 or not first:
        assert applied(text, whole) == applied(applied(text, first), second)


@given(st.text(max_size=120), st.integers(0, 2**16))
@settings(max_examples=200)
def test_any_text_with_any_tags(text: str, seed: int) -> None:
    labels = (
        "DELETE",
        "SPELL",
        "SWAP_NEXT",
        "MERGE_NEXT",
        "HYPHEN",
        "APPEND_a",
        "PREPEND_the",
        "TRANSFORM_PLURAL",
    )
    words = tags(text, {})
    chosen = [Tag(t.start, t.end, labels[(seed >> i % 16) % len(labels)], 0.9) for i, t in enumerate(words)]
    found = corrections(text, chosen, 0.5)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(0 <= edit.start <= edit.end <= len(text) for edit in found)
    applied(text, found)


def test_the_echo_engine_can_serve_it(tmp_path: Path) -> None:
    class Echoing(ErrorDetection):
        adapter = tmp_path

    request = Request("", payload=Payload({"text": "I have two dogs."}))
    said, judged = Echoing().answer(request, EchoEngine())
    assert said == Text("No mistakes found.")
    assert isinstance(judged, Table) and [row[0] for row in judged.rows] == ["I have two dogs."]
    # A sentence in which something was found is judged by that.
    text = "I have two dogs. It depends of the weather. It rains."
    *_, judged = Echoing().answer(Request("", payload=Payload({"text": text})), EchoEngine())
    assert isinstance(judged, Table) and [row[0] for row in judged.rows] == ["I have two dogs.", "It rains."]


def test_the_folder() -> None:
    (application,) = register_applications()
    assert application.prompts is not None and len(application.examples) >= 15
    for language in ("en", "pt"):
        prompt = load_prompt(application.prompts, language)
        assert prompt.fields == application.fields and all(shot.answer for shot in prompt.shots)
