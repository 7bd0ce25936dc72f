"""Summaries: how long, in which order, without repetitions, and where the sentences stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from assistant_plugins.summarization import MAX_READ, Summarization, register_applications
from assistant_plugins.summarization.lengths import Length, asked, usual, wanted
from assistant_plugins.summarization.selection import choose
from assistant_plugins.summarization.source import GAP, MAX_SHOWN
from summarized_article import APPLICATION, ARTICLE, IMPORTANT, article, sentence

from assistant import (
    Citation,
    Document,
    InputError,
    Notice,
    Payload,
    Reply,
    Request,
    Route,
    Spans,
    Table,
    Text,
    split_sentences,
)
from assistant.conversation import history_after
from assistant.engine.base import AdapterInfo, BaseInfo, Engine, Operation
from assistant.engine.echo import EchoEngine
from assistant.payload import find_payload
from assistant.prompts import load_prompt
from assistant.routing.followups import follow_up


class Stars(Engine):
    """Scores a sentence by its stars."""

    operations: ClassVar[frozenset[Operation]] = frozenset({"rank"})

    def __init__(self) -> None:
        self.info = BaseInfo("stars", "0" * 64, 0, "none", 0)
        self.asked: list[Sequence[str]] = []

    def adapter(self, adapter: Path) -> AdapterInfo:
        raise AssertionError("Nothing of the manifest is needed.")

    def rank(self, inputs: Sequence[Sequence[str]], adapter: Path) -> list[tuple[float, ...]]:
        self.asked += inputs
        return [tuple(float(s.count("*")) - 3 for s in sentences) for sentences in inputs]


def parts_of(request: Request) -> list[object]:
    return list(APPLICATION.answer(request, Stars()))


def ask(message: str, text: str = ARTICLE, language: str = "en", **options: str) -> list[object]:
    return parts_of(Request(message, language=language, payload=Payload({"text": text}, options)))


def said(parts: Sequence[object]) -> list[str]:
    return [part.text for part in parts if isinstance(part, Text)]


def kept(parts: Sequence[object], text: str = ARTICLE) -> list[int]:
    """The positions of the sentences that the summary is made of."""
    sentences = [" ".join(text[start:end].split()) for start, end in split_sentences(text)]
    return [sentences.index(said(parts)[0][start:end]) for start, end in split_sentences(said(parts)[0])]


# --- the reply


def test_the_best_three_in_the_order_of_the_text() -> None:
    parts = ask(f"Summarize this: {ARTICLE}")
    assert kept(parts) == [2, 5, 7]
    assert said(parts)[1] == "Kept 3 of 10 sentences, 30 % of the words."


def test_the_chosen_sentences_are_marked_with_their_probability() -> None:
    spans = next(part for part in ask("Summarize this:") if isinstance(part, Spans))
    assert spans.text == ARTICLE and {span.label for span in spans.spans} == {"summary"}
    assert [ARTICLE[span.start : span.end] for span in spans.spans] == [
        sentence(n, IMPORTANT[n]) for n in (2, 5, 7)
    ]
    assert [round(span.weight, 2) for span in spans.spans] == [0.5, 0.27, 0.73]


def test_in_portuguese() -> None:
    parts = ask("Resuma em duas frases", language="pt")
    assert kept(parts) == [2, 7]
    assert said(parts)[1] == "Mantive 2 de 10 frases, 20 % das palavras."
    assert said(ask("Resuma", "Chove. Faz frio.", language="pt")) == [
        "São só duas frases; isso já é um resumo."
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rains.", "I found only one sentence, so there is nothing to leave out."),
        ("It rains. It is cold.", "There are only two sentences; that is a summary already."),
    ],
)
def test_a_short_text_is_not_summarized(text: str, expected: str) -> None:
    assert ask("Summarize", text) == [Text(expected)]


def test_as_many_sentences_as_there_are() -> None:
    assert said(ask("in 10 sentences")) == [
        "The text has only 10 sentences, so there is nothing to leave out."
    ]


@pytest.mark.parametrize("payload", [None, Payload({}), Payload({"text": " \n"}), Payload({"text": "*** !"})])
def test_a_missing_text_is_asked_for(payload: Payload | None) -> None:
    with pytest.raises(InputError, match="needs a text"):
        parts_of(Request("Summarize", payload=payload))


def test_why() -> None:
    explained = ask("why?", explain="yes")
    assert said(explained)[0].startswith("I scored each of the 10 sentences")
    table = next(part for part in explained if isinstance(part, Table))
    assert table.rows[0] == (sentence(2, 3), "50 %")


def test_line_breaks_within_sentences_are_not_repeated() -> None:
    text = ARTICLE.replace(" the ", "\nthe ")
    assert "\n" not in said(ask("Summarize", text))[0]


# --- lengths


@pytest.mark.parametrize(
    ("sentences", "expected"), [(3, 1), (4, 2), (6, 3), (15, 3), (20, 4), (35, 7), (500, 7)]
)
def test_the_usual_length(sentences: int, expected: int) -> None:
    assert usual(sentences) == Length(expected, "sentences")


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("Summarize this in 2 sentences:", Length(2, "sentences")),
        ("in one sentence please", Length(1, "sentences")),
        ("a two-sentence summary", Length(2, "sentences")),
        ("in 2-3 sentences", Length(3, "sentences")),
        ("in a few short sentences", Length(3, "sentences")),
        ("Give me five bullet points", Length(5, "sentences")),
        ("Resuma em três frases curtas", Length(3, "sentences")),
        ("numa frase", Length(1, "sentences")),
        ("in 0 sentences", Length(1, "sentences")),
        ("in at most 50 words", Length(50, "words")),
        ("a 100-word summary", Length(100, "words")),
        ("em 80 palavras", Length(80, "words")),
        ("to 20%", Length(40, "words")),
        ("to 12,5 percent", Length(25, "words")),
        ("reduce it by 20 %", Length(160, "words")),
        ("20 por cento do texto", Length(40, "words")),
        ("half the length", Length(100, "words")),
        ("shorten it by a third", Length(133, "words")),
        ("cut off one quarter", Length(150, "words")),
        ("cut it to a quarter", Length(50, "words")),
        ("Cut It By Half", Length(100, "words")),
        ("IN TRÊS FRASES", Length(3, "sentences")),
        ("in fıve sentences", None),
        ("in sİx words", None),
        ("para um terço", Length(67, "words")),
        ("to 400%", Length(200, "words")),
        ("to 0 %", Length(1, "words")),
        ("Summarize this text about 3 bears", None),
        ("tl;dr", None),
    ],
)
def test_what_is_asked_for(instruction: str, expected: Length | None) -> None:
    assert asked(instruction, words=200) == expected


def test_short_and_long_are_half_and_twice_the_usual() -> None:
    assert wanted([("a short summary", {"length": "short"})], 10, 90).amount == 1
    assert wanted([("a detailed summary", {"length": "long"})], 10, 90).amount == 6


def test_a_number_of_words_is_kept_to() -> None:
    assert kept(ask("in 14 words")) == [2, 7]
    assert kept(ask("in 20 %")) == [2, 7]
    # No sentence is as short as that: the best one.
    assert kept(ask("in 2 words")) == [7]


def test_a_length_within_the_text_is_no_wish() -> None:
    text = f"He got 20% of 3 sentences in 5 words. {ARTICLE}"
    assert len(kept(ask(f"Summarize: {text}", text), text)) == 3
    quoted = "\n".join(f"> {line}" for line in text.replace(". ", ".\n").split("\n"))
    payload = Payload({"text": text.replace(". ", ".\n")})
    assert len(kept(parts_of(Request(f"tl;dr\n{quoted}", payload=payload)), text)) == 3


# --- a conversation


def conversation(*messages: str, text: str = ARTICLE) -> Iterator[list[object]]:
    """The replies to messages that follow each other; the first holds the text."""
    history: tuple[object, ...] = ()
    for message in messages:
        request = Request(message, history)  # type: ignore[arg-type]
        payload: Payload | None = Payload({"text": text}) if not history else None
        if found := follow_up(request, {APPLICATION.id: APPLICATION}):
            payload = found.payload
        request = Request(message, request.history, payload=payload or Payload({"text": text}))
        parts = parts_of(request)
        yield parts
        reply = Reply(Route(APPLICATION.id, 1.0, ""), tuple(parts), request.payload)  # type: ignore[arg-type]
        history = history_after(request, reply)


def test_shorter_is_half_of_before_and_longer_is_twice() -> None:
    counts = [
        len(kept(parts))
        for parts in conversation(f"in 4 sentences: {ARTICLE}", "shorter", "shorter", "longer")
    ]
    assert counts == [4, 2, 1, 2]


def test_shorter_than_one_sentence_is_explained() -> None:
    *_, last = conversation(f"Summarize in one sentence: {ARTICLE}", "make it shorter")
    assert len(kept(last)) == 1 and any(isinstance(part, Notice) for part in last)


def test_the_length_outlasts_a_question_and_a_new_one_replaces_it() -> None:
    first, shorter, why, again, other = conversation(
        f"in 4 sentences: {ARTICLE}", "shorter", "why?", "shorter", "in 3 sentences please"
    )
    assert (len(kept(first)), len(kept(shorter)), len(kept(again)), len(kept(other))) == (4, 2, 1, 3)
    assert len(next(part for part in why if isinstance(part, Table)).rows) == 2


# --- repetitions


def test_a_repetition_gives_way_to_what_is_new() -> None:
    texts = [
        "The bridge opens in May 2027.",
        "Everyone likes cake with coffee.",
        "As said, the bridge opens in May.",
    ]
    assert choose(texts, [3.0, 1.0, 2.0], Length(2, "sentences")) == [0, 1]
    assert choose(texts, [3.0, 1.0, 2.0], Length(3, "sentences")) == [0, 1, 2]


def test_no_sentence_twice() -> None:
    assert choose(["We meet at ten on Friday."] * 5, [0.0] * 5, Length(3, "sentences")) == [0]


def test_headings_only_when_there_is_nothing_else() -> None:
    texts = ["Annual Report", "Sales rose in every country.", "Page 2"]
    assert choose(texts, [9.0, 1.0, 2.0], Length(1, "sentences")) == [1]
    assert choose(["Annual Report", "Page 2"], [1.0, 2.0], Length(1, "words")) == [1]


# --- documents


def test_documents_are_cited_by_page() -> None:
    pages = ("", f"{article({1: 3}, 4)}\n", " ".join(sentence(n, 2 * (n == 6)) for n in range(4, 9)))
    documents = (Document("a.pdf", pages), Document("b.txt", (sentence(9, 1),)))
    request = Request("Summarize the attached files", documents=documents)
    payload = find_payload(request.message, APPLICATION, request)
    with_text = parts_of(Request(request.message, documents=documents, payload=payload))
    expected = [("a.pdf", 2, sentence(1, 3)), ("a.pdf", 3, sentence(6, 2)), ("b.txt", 1, sentence(9, 1))]
    for parts in (with_text, parts_of(request)):  # without a payload the documents are the text
        found = [part for part in parts if isinstance(part, Citation)]
        assert [(citation.document, citation.page, citation.quote) for citation in found] == expected


def test_one_page_needs_no_citation_and_a_typed_text_has_none() -> None:
    one = (Document("a.txt", (ARTICLE,)),)
    assert not any(isinstance(part, Citation) for part in parts_of(Request("Summarize", documents=one)))
    two = (Document("a.pdf", ("Page one.", "Page two.")),)
    request = Request("Summarize", documents=two, payload=Payload({"text": ARTICLE}))
    assert not any(isinstance(part, Citation) for part in parts_of(request))


def test_a_long_source_is_shown_around_its_summary() -> None:
    text = article({3: 3, 4: 2, 150: 1}, 300)
    assert len(text) > MAX_SHOWN
    parts = ask("Summarize in 3 sentences", text)
    spans = next(part for part in parts if isinstance(part, Spans))
    assert [spans.text[span.start : span.end] for span in spans.spans] == [
        sentence(3, 3),
        sentence(4, 2),
        sentence(150, 1),
    ]
    assert spans.text.count(GAP) == 1 and spans.text.startswith(sentence(2)) and len(spans.text) < MAX_SHOWN
    many = next(part for part in ask("to 60 %", text) if isinstance(part, Spans))
    assert len(many.text) < 1.1 * MAX_SHOWN and many.spans


def test_what_was_not_read_is_said() -> None:
    text = article({0: 1}, 3000)
    parts = ask("Summarize", text)
    assert f"I read its first {MAX_READ} of {len(text)} characters." in parts[2].text  # type: ignore[attr-defined]


# --- the plugin as others see it


def test_any_engine_will_do(tmp_path: Path) -> None:
    class WithFolder(Summarization):
        adapter = tmp_path

    class Reader(EchoEngine):
        operations: ClassVar[frozenset[Operation]] = frozenset({"rank"})

    request = Request("Summarize", payload=Payload({"text": ARTICLE}))
    parts = list(WithFolder().answer(request, Reader()))
    assert isinstance(parts[0], Text) and isinstance(parts[-1], Spans) and len(parts[-1].spans) == 3
    *_, summary, told = WithFolder().answer(request, EchoEngine())
    assert isinstance(summary, Text) and summary.copyable and isinstance(told, Text)


def test_it_is_registered_and_its_examples_hold_a_text() -> None:
    (application,) = register_applications()
    documents = (Document("a.pdf", (ARTICLE,)),)
    for example in application.examples:
        payload = find_payload(example, application, Request(example, documents=documents))
        assert payload and len(split_sentences(payload.text("text"))) >= 2, example


@pytest.mark.parametrize("language", ["en", "pt"])
def test_the_shots_are_made_of_the_text(language: str) -> None:
    assert APPLICATION.prompts
    for shot in load_prompt(APPLICATION.prompts, language).shots:
        sentences = [shot.answer[start:end] for start, end in split_sentences(shot.answer)]
        assert 0 < len(sentences) < len(split_sentences(shot.input["text"]))
        assert all(sentence in shot.input["text"] for sentence in sentences)
