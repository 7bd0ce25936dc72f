"""Reply parts as HTML, the strings, and what the browser keeps: values in, text out, no browser needed."""

import json
import string
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reply_strategies import replies, texts

from assistant import (
    Labels,
    LabelScore,
    Notice,
    Reply,
    ReplyPart,
    Route,
    Span,
    Spans,
    Suggestion,
    Suggestions,
    Text,
)
from assistant.web import plugins, render
from assistant.web.export import markdown
from assistant.web.language import DEFAULT, FOLDER, languages, preferred, strings_for
from assistant.web.storage import Conversation, from_json, to_json
from assistant.web.teach import findings_html
from assistant.workshop.dataset import Dataset
from assistant.workshop.findings import Finding

EN = strings_for("en")
PT = strings_for("pt")
TAGS = "article p section h4 span ul li figure figcaption mark small del ins blockquote"
TAGS += " cite div table thead tbody tr th td details summary dl dt dd progress"
ATTRIBUTES = "class style title lang dir scope role tabindex aria-label aria-hidden max value"


class Page(HTMLParser):
    """The tags, the attributes and the text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(html)
        self.close()
        self.text = "".join(self.pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def count(self, tag: str, **attributes: str) -> int:
        return sum(name == tag and attributes.items() <= found.items() for name, found in self.tags)


def part(*parts: ReplyPart, strings=EN, **reply) -> Page:
    shown = Reply(Route("mood", 0.875, "its name was called", (("other", 0.25),)), parts, **reply)
    return Page(render.reply_html(shown, {"mood": "Mood"}, strings))


@given(replies, st.sampled_from(["en", "pt"]))
def test_whatever_a_reply_holds_only_our_own_tags_and_attributes_come_out(reply, language):
    page = Page(render.reply_html(reply, {}, strings_for(language), stopped=not reply.done))
    assert {tag for tag, _ in page.tags} <= set(TAGS.split())
    names = {name for _, attributes in page.tags for name in attributes}
    assert names <= set(ATTRIBUTES.split())
    for part in reply.parts:
        if isinstance(part, Text | Notice):
            assert "".join(part.text.split()) in "".join(page.text.split())


@given(texts)
def test_a_bubbles_text_comes_back_as_it_was(text):
    page = Page(render.literal(text))
    assert page.tags == []
    assert unescape(render.literal(text)) == text


def test_a_bubble_leaves_innocent_text_alone():
    assert render.literal("R&D <3 a < b && c; 1 <= 2") == "R&D <3 a < b && c; 1 <= 2"
    assert render.literal("<b>&lt;") == "&lt;b>&amp;lt;"


def test_each_label_has_a_bar_and_its_value_as_text():
    page = part(Labels((LabelScore("not_bullying", 0.914), LabelScore("age", 0.086))), strings=PT)
    assert "not bullying" in page.text
    assert "91 %" in page.text
    assert "8,6 %" in page.text
    widths = [attributes["style"] for tag, attributes in page.tags if "style" in attributes]
    assert widths == ["width:91.4%", "width:8.6%"]


def test_below_the_threshold_it_says_so():
    scores = (LabelScore("yes", 0.55), LabelScore("no", 0.45))
    sure, unsure = part(Labels(scores, 0.5)), part(Labels(scores, 0.6))
    assert "Not sure" not in sure.text
    assert "Not sure" in unsure.text
    assert unsure.count("section", **{"class": "labels unsure"}) == 1


@pytest.mark.parametrize(
    ("probability", "shown"),
    [
        (0, "0 %"),
        (0.0004, "< 0.1 %"),
        (0.0123, "1.2 %"),
        (0.5, "50 %"),
        (0.9961, "99.6 %"),
        (0.99991, "> 99.9 %"),
        (1, "100 %"),
    ],
)
def test_only_certainty_is_100_percent(probability, shown):
    assert EN.percent(probability) == shown


def test_words_that_mattered_are_marked_by_sign():
    text = "a <warm> but dull film"
    page = part(Spans(text, (Span(2, 8, "positive", 0.64), Span(13, 17, "positive", -0.25))))
    assert text in page.text
    assert page.count("mark", **{"class": "for", "title": "+0.64"}) == 1
    assert page.count("mark", **{"class": "against", "title": "−0.25"}) == 1
    assert "for “positive”" in page.text


def test_spans_that_overlap_or_leave_the_text_change_no_text():
    text = "one two three"
    page = part(Spans(text, (Span(4, 7, "x"), Span(5, 9, "x"), Span(-2, 1, "x"), Span(10, 99, "x"))))
    assert text in page.text
    assert page.count("mark", title="+1.00") == 1


def test_a_replacement_stands_beside_what_it_replaces():
    page = part(Spans("He go home", (Span(3, 5, "R:VERB", replacement="goes"),)))
    assert page.count("del") == page.count("ins") == 1
    assert "He gogoes home" in page.text
    assert "Suggested changes" in page.text


def test_spans_with_several_labels_carry_them():
    page = part(Spans("Ada in Paris", (Span(0, 3, "person"), Span(7, 12, "place"))))
    assert "Adaperson in Parisplace" in page.text


def test_the_foldout_says_who_why_with_what_and_how_fast():
    page = part(Text("Fine."), adapter="mood-v1", milliseconds=8.25, done=True)
    for said in ("Mood", "its name was called", "88 %", "mood-v1", "8.2 ms", "other (25 %)"):
        assert said in page.text
    assert page.count("details") == 1


def test_an_application_that_is_not_installed_bears_the_title_it_was_given():
    taught = Reply(Route("my-cafe-o-la", 1, ""), (Text("Yes."),), title="Café <olá>", done=True)
    page = Page(render.reply_html(taught, {"mood": "Mood"}, EN))
    assert "Café <olá>" in page.text and "my-cafe" not in page.text
    assert page.count("olá") == 0
    assert render.answered_by(replace(taught, title=""), {}) == "my-cafe-o-la"
    assert render.answered_by(taught, {"my-cafe-o-la": "Installed"}) == "Installed"
    conversation = Conversation().said("hello").answered(taught)
    assert "Café" in markdown(from_json(to_json(conversation)), {}, EN)


def test_what_the_data_check_finds_is_told_in_the_pages_language():
    finding = Finding("torn", {"count": 2, "name": "d.csv", "text": "<b>", "labels": "x, y"})
    data = Dataset("d.csv", ("text",), ("x", "y"), (), (), (finding,))
    page = Page(findings_html(data, strings_for("pt")))
    assert "2 textos de d.csv com mais de um rótulo ficaram de fora, como “<b>” (x, y)." in page.text
    assert page.count("b") == 0
    assert "2 texts of d.csv" in Page(findings_html(data, EN)).text


def test_a_stopped_reply_says_so_and_a_growing_one_has_no_foldout():
    reply = Reply(Route("mood", 1, ""), (Text("so far"),))
    assert "Stopped." in render.reply_html(reply, {}, EN, stopped=True)
    assert "details" not in render.reply_html(reply, {}, EN)


def test_notices_come_last_and_buttons_are_not_html():
    page = part(
        Notice("careful"), Text("the answer"), Suggestions((Suggestion("face", "message"),)), done=True
    )
    assert page.text.index("the answer") < page.text.index("careful")
    assert "face" not in page.text


def test_the_languages_have_the_same_strings_with_the_same_placeholders():
    def fields(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
    assert files.keys() == {"en", "pt"} == languages().keys()
    assert next(iter(languages())) == DEFAULT == "en"
    assert files["pt"].keys() == files["en"].keys()
    for key, text in files["en"].items():
        assert fields(files["pt"][key]) == fields(text), key


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("de,en;q=0.5,pt;q=0.7", "pt"),
        ("en", "en"),
        ("", "en"),
        ("de", "en"),
        (";q=x,,", "en"),
        ("en; q=0.5, pt; q=0.9", "pt"),
        ("de, pt; q=0", "en"),
        ("PT-br;Q=0.9,en;Q=0.8", "pt"),
    ],
)
def test_the_browsers_first_language_that_we_have(header, language):
    assert preferred(header) == language


@given(st.text())
def test_any_header_gives_a_language(header):
    assert preferred(header) in languages()


def test_a_card_names_only_the_first_of_many_labels() -> None:
    assert plugins._labels(("a_b", "c"), EN) == "a b, c"
    assert plugins._labels([f"l{i}" for i in range(10)], EN) == "10 labels: l0, l1, l2, …"
