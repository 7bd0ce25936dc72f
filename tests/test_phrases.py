"""Rules for typical mistakes: each does what its example says, and nothing to what is right."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from assistant_plugins.error_detection.articles import articles, asked_by
from assistant_plugins.error_detection.corrections import corrections
from assistant_plugins.error_detection.edits import Edit, apart, applied
from assistant_plugins.error_detection.phrases import RULES, Phrase, load, phrases
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.engine.base import Tag
from assistant.errors import DataError

PHRASES = load(RULES)


def put_right(sentence: str) -> str:
    """The sentence after the rules alone."""
    return applied(sentence, apart(phrases(sentence), articles(sentence)))


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.rule.find[:60])
def test_a_rule_puts_its_example_right(phrase: Phrase) -> None:
    rule = phrase.rule
    assert applied(rule.wrong, apart(phrase.edits(rule.wrong))) == rule.right
    assert put_right(rule.wrong) == rule.right
    for sentence in (rule.right, *rule.fine):
        assert put_right(sentence) == sentence


def test_no_rule_is_there_twice_and_no_list_in_vain() -> None:
    finds = [phrase.rule.find for phrase in PHRASES]
    assert len(set(finds)) == len(finds)
    named = {
        name for find in finds for names in re.findall(r"<([a-z|-]+)>", find) for name in names.split("|")
    }
    assert named >= yaml.safe_load(RULES.read_text(encoding="utf-8"))["words"].keys()


@pytest.mark.parametrize(
    ("wrong", "edits"),
    [
        ("It depends of it.", [("of", "on")]),
        ("Listen me, please.", [("Listen", "Listen to")]),
        ("We discussed about  the plan.", [(" about", "")]),
        ("Is raining in Rome.", [("Is", "It is")]),
        ("“Your welcome.”", [("Your", "You're")]),
        ("I’m agree with you.", [("I’m", "I")]),
        ("We go to home and enjoy to\neat.", [(" to", ""), ("to\neat", "eating")]),
    ],
)
def test_an_edit_is_of_the_words_that_change(wrong: str, edits: list[tuple[str, str]]) -> None:
    found = apart(phrases(wrong))
    assert [(wrong[edit.start : edit.end], edit.replacement) for edit in found] == edits


def test_a_rule_goes_before_the_tagger() -> None:
    text = "It depends of the weather."
    of = text.index("of")
    tags = [Tag(of, of + 2, "REPLACE_from", 0.999)]
    assert applied(text, corrections(text, tags, 0.5)) == "It depends on the weather."


def test_what_stands_in_code_is_left_alone() -> None:
    text = "The option `depend of the house` has a `a hour` in it."
    assert corrections(text, [], 0.5) == []


@pytest.mark.parametrize(
    ("article", "words"),
    [
        (
            "an",
            "apple hour honest honour heir heirloom uncle umbrella unimportant unidentified onerous utter urban",
        ),
        ("an", "FBI MP NGO MBA HTML SUV SMS MSc ATM IT 8 80 800 8,000 11 11,000 18th"),
        (
            "a",
            "house university union unique unilateral European euro one once useful user usual uniform ewe ukulele",
        ),
        ("a", "unanimous ubiquitous utility uranium Ukrainian UFO UK US USB CD PhD 1 100 110 1,000"),
    ],
)
def test_the_article_that_a_word_asks_for(article: str, words: str) -> None:
    assert {word: asked_by(word) for word in words.split()} == dict.fromkeys(words.split(), article)


@pytest.mark.parametrize(
    "word", ["historic", "herb", "hotel", "NASA", "RAM", "Uwe", "Euler", "1800", "1100", "naïve"]
)
def test_no_article_is_asked_for_where_that_is_not_sure(word: str) -> None:
    assert asked_by(word) is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("It took a hour in an European city.", "It took an hour in a European city."),
        ("A old man has an car.", "An old man has a car."),
        ("I need a MP3 file and a X-ray.", "I need an MP3 file and an X-ray."),
        ("a 8-year-old with an 100 dollar note", "an 8-year-old with a 100 dollar note"),
        (
            "Vitamin A is good; plan A or plan B; a as in cat.",
            "Vitamin A is good; plan A or plan B; a as in cat.",
        ),
        (
            "It came from an fbi.gov address, a html.com one.",
            "It came from an fbi.gov address, a html.com one.",
        ),
        ("He went out an he came back.", "He went out an he came back."),
    ],
)
def test_articles(wrong: str, right: str) -> None:
    assert applied(wrong, list(articles(wrong))) == right


RULE = "{find: '%s', put: '%s', wrong: a, right: b}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "words: {}\nrules: {style: [" + RULE % ("a", "b") + "]}",
            "rules has 'style'; expected one of spelling",
        ),
        ("words: {}\nrules: {grammar: [" + RULE % ("a (", "b") + "]}", "'a (' is no regular expression"),
        ("words: {}\nrules: {grammar: [" + RULE % ("<nosuch>", "b") + "]}", "<nosuch>, which is neither"),
        (
            "words: {}\nrules: {grammar: [" + RULE % ("<verb|nosuch>", "b") + "]}",
            "neither a list nor a class",
        ),
        ("words: {}\nrules: {grammar: [" + RULE % ("(a)", "{2}") + "]}", "has {2}, which"),
        (
            "words: {}\nrules: {grammar: [" + RULE % ("(a)", "{1:VERB_NOSUCH}") + "]}",
            "has {1:VERB_NOSUCH}, which",
        ),
        ("words: {}\nrules: {grammar: [" + RULE % ("(a)", "{make}") + "]}", "has {make}, which"),
        ("words: {verb: go}\nrules: {}", "words has 'verb', which is a class"),
        ("words: {}\nrules: {grammar: [{find: a, put: b, wrong: c}]}", "rules.grammar.0.right"),
        ("words: {}\nrules: {grammar: [{find: a, put: b, wrong: c, right: d, more: e}]}", "grammar.0.more"),
        ("words: [", "is no YAML"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_a_sentence(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"^bad\.yaml") as raised:
        load(path)
    assert said in str(raised.value) and str(raised.value).endswith(".")


@pytest.mark.parametrize("bytes_", [b"\xff\xfe\x00", b"words: \x00"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, bytes_: bytes) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(bytes_)
    with pytest.raises(DataError, match=r"bad\.yaml is no YAML"):
        load(path)


def pieces() -> st.SearchStrategy[str]:
    """Words of the rules' examples, mixed with any text."""
    words = sorted({word for phrase in PHRASES for word in phrase.rule.wrong.split()})
    return st.lists(st.sampled_from(words) | st.text(max_size=4), max_size=25).map(" ".join)


@given(
    pieces()
    | st.text(max_size=80)
    | st.sampled_from([p.rule.wrong for p in PHRASES]).flatmap(
        lambda wrong: st.tuples(st.text(max_size=5), st.text(max_size=5)).map(lambda ends: wrong.join(ends))
    )
)
@settings(max_examples=150, deadline=None)
def test_any_text(text: str) -> None:
    found: list[Edit] = corrections(text, [], 0.5)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(0 <= edit.start < edit.end <= len(text) for edit in found)
    assert applied(text, found) != text or not found
