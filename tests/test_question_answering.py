"""Question answering: what is said about what a text says."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from assistant_plugins.question_answering import QuestionAnswering, register_applications
from assistant_plugins.question_answering.index import READ
from question_reader import TOWN, Reader, book

from assistant import (
    Citation,
    Document,
    InputError,
    Labels,
    Payload,
    Progress,
    ReplyPart,
    Request,
    Spans,
    Text,
)
from assistant.checks import checked_application, checked_part
from assistant.engine.base import Engine
from assistant.prompts import load_prompt


def ask(
    engine: Engine, question: str, context: str = "", documents: Sequence[Document] = (), language: str = "en"
) -> list[ReplyPart]:
    """The parts of the reply, Progress left out, as the core would pass them on."""
    context = context or "\n\n".join(document.text for document in documents).strip()
    payload = Payload({"question": question, "context": context})
    request = Request(question, documents=tuple(documents), language=language, payload=payload)
    parts = [checked_part(part) for part in QuestionAnswering().answer(request, engine)]
    return [part for part in parts if not isinstance(part, Progress)]


def test_an_answer_in_a_pasted_text() -> None:
    said, labels, spans = ask(Reader(Anna_Weiss=0.9), "Who built the town hall?", TOWN)
    assert said == Text("According to the text: Anna Weiss.")
    assert isinstance(labels, Labels) and not labels.unsure and labels.threshold == 0.5
    assert [score.label for score in labels.scores] == ["Anna Weiss", "not in the text"]
    assert isinstance(spans, Spans) and spans.text == TOWN
    (span,) = spans.spans
    assert (TOWN[span.start : span.end], span.label) == ("Anna Weiss", "answer")


def test_the_paragraph_is_named_where_there_are_several() -> None:
    said, *_ = ask(Reader(Anna_Weiss=0.9), "Who?", f"First this.\n\n\n\n{TOWN}\n\nAnd more.")
    assert said == Text("According to paragraph 2 of the text: Anna Weiss.")


def test_documents_are_cited_with_their_pages() -> None:
    documents = [Document("minutes.pdf", tuple(book(9))), Document("town.pdf", (*book(4), TOWN))]
    engine = Reader(Anna_Weiss=0.9)
    said, _, spans, citation = ask(engine, "Who built the town hall?", documents=documents)
    assert said == Text("According to “town.pdf”, page 5: Anna Weiss.")
    assert isinstance(spans, Spans) and spans.text == TOWN
    assert citation == Citation("town.pdf", 5, "The town hall was built by Dr. Anna Weiss in 1907.")
    assert len(engine.extracted) == READ


def test_a_text_pasted_beside_a_document_is_what_is_asked_about() -> None:
    said, _, spans = ask(Reader(Anna_Weiss=0.9), "Who?", TOWN, [Document("other.txt", ("Something else.",))])
    assert said == Text("According to the text: Anna Weiss.") and isinstance(spans, Spans)


def test_a_quote_and_an_answer_are_on_one_line() -> None:
    page = "It was built\nby Anna\nWeiss in 1907."
    engine = Reader(**{"Anna\nWeiss": 0.9})
    said, _, spans, citation = ask(engine, "Who?", documents=[Document("town.pdf", ("", page))])
    assert said == Text("According to “town.pdf”, page 2: Anna Weiss.")
    assert citation == Citation("town.pdf", 2, "It was built by Anna Weiss in 1907.")
    assert isinstance(spans, Spans) and spans.text == page


def test_no_answer() -> None:
    said, labels = ask(Reader(museum=0.1), "What is the mayor's name?", TOWN)
    assert said == Text("The text does not say.")
    assert isinstance(labels, Labels) and labels.scores[0].label == "not in the text"
    said, labels = ask(Reader(), "What is the mayor's name?", TOWN)
    assert said == Text("The text does not say.")
    assert isinstance(labels, Labels) and labels.scores[0].probability == 1


def test_unsure() -> None:
    engine = Reader(0.6, **{"1907": 0.45, "Two years later": 0.35})
    said, labels, _ = ask(engine, "When did the tram come?", TOWN)
    assert said == Text("I am not sure. My best guess from the text is “1907”.")
    assert isinstance(labels, Labels) and labels.unsure
    assert [score.label for score in labels.scores] == ["1907", "Two years later", "not in the text"]
    said, labels, spans = ask(Reader(0.6, museum=0.45), "What is in the hall?", TOWN)
    assert said == Text(
        "I am not sure. Most likely the text does not say; my best guess is “museum”."
    ) and isinstance(spans, Spans)
    assert isinstance(labels, Labels) and labels.scores[0].label == "not in the text"


def test_scraps_are_no_answers() -> None:
    engine = Reader(**{"1907": 0.9, ".": 0.05, "in": 0.009})
    _, labels, _ = ask(engine, "When was it built?", TOWN)
    assert isinstance(labels, Labels)
    assert [score.label for score in labels.scores] == ["1907", "not in the text"]
    said, labels = ask(Reader(**{". ": 0.6}), "When?", TOWN)
    assert said == Text("The text does not say.") and isinstance(labels, Labels) and len(labels.scores) == 1


def test_only_the_best_answers_are_shown() -> None:
    words = dict.fromkeys(("hall", "built", "Anna", "tram", "market", "museum"), 0.1)
    labels = next(part for part in ask(Reader(**words), "What?", TOWN) if isinstance(part, Labels))
    assert len(labels.scores) == 5


def test_portuguese() -> None:
    text = "A câmara foi construída por Rui Faria.\n\nHoje é um museu."
    document = Document("vila.pdf", ("Índice", text))
    said, labels, spans, citation = ask(
        Reader(Rui_Faria=0.9), "Quem a construiu?", documents=[document], language="pt"
    )
    assert said == Text("Segundo “vila.pdf”, página 2: Rui Faria.")
    assert isinstance(labels, Labels) and labels.scores[1].label == "não está no texto"
    assert isinstance(spans, Spans) and spans.spans[0].label == "resposta"
    assert citation == Citation("vila.pdf", 2, "A câmara foi construída por Rui Faria.")
    said, *_ = ask(Reader(Rui_Faria=0.9), "Quem?", text, language="pt")
    assert said == Text("Segundo o parágrafo 1 do texto: Rui Faria.")
    assert ask(Reader(), "Quem?", text, language="pt")[0] == Text("O texto não diz.")
    unsure = ask(Reader(0.7, Rui_Faria=0.6), "Quem?", "Foi Rui Faria.", language="pt")[0]
    assert unsure == Text("Não tenho certeza. Meu melhor palpite, segundo o texto, é “Rui Faria”.")


def test_another_language_is_answered_in_english() -> None:
    assert ask(Reader(), "Wer?", TOWN, language="de")[0] == Text("The text does not say.")


@pytest.mark.parametrize(
    ("question", "context", "language", "reason"),
    [
        (" ", TOWN, "en", "I need a question"),
        ("", TOWN, "pt", "Preciso de uma pergunta"),
        ("Who?", " \n", "en", "I need a text"),
        ("Quem?", "", "pt", "Preciso de um texto"),
    ],
)
def test_what_is_missing_is_asked_for(question: str, context: str, language: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        ask(Reader(), question, context, language=language)


def test_missing_payload_text_and_adapter() -> None:
    with pytest.raises(InputError, match="I need a question"):
        list(QuestionAnswering().answer(Request("Who?"), Reader()))
    with pytest.raises(InputError, match="I need a text"):
        ask(Reader(), "Who?", documents=[Document("scan.pdf", ("", " "))])

    class Bare(QuestionAnswering):
        adapter = None

    payload = Payload({"question": "Who?", "context": TOWN})
    with pytest.raises(InputError, match="has no adapter"):
        list(Bare().answer(Request("Who?", payload=payload), Reader()))


def test_a_long_document_shows_progress_once_and_is_quick_from_then_on() -> None:
    document = Document("book.pdf", tuple(book(300, p222=TOWN)))
    engine, application = Reader(Anna_Weiss=0.9), QuestionAnswering()
    payload = Payload({"question": "Who built the town hall?", "context": document.text})
    request = Request("Who built the town hall?", documents=(document,), payload=payload)
    parts = list(application.answer(request, engine))
    progress = [part for part in parts if isinstance(part, Progress)]
    assert progress and all(part.text == "Reading the text …" for part in progress)
    assert parts[len(progress)] == Text("According to “book.pdf”, page 223: Anna Weiss.")
    embedded, started = len(engine.embedded), time.monotonic()
    assert list(application.answer(request, engine)) == parts[len(progress) :]
    assert len(engine.embedded) == embedded + 1
    assert time.monotonic() - started < 2


def test_the_application_is_complete() -> None:
    (application,) = register_applications()
    assert checked_application(application) is application
    assert 15 <= len(application.examples) <= 25 and len(set(application.examples)) == len(
        application.examples
    )
    assert application.prompts
    for language in ("en", "pt"):
        prompt = load_prompt(application.prompts, language)
        assert (prompt.language, prompt.fields) == (language, application.fields)
        assert len(prompt.shots) >= 8 and not prompt.labels
        missing = QuestionAnswering.sentences[language]["none"]
        for shot in prompt.shots:
            assert shot.answer == missing or shot.answer in shot.input["context"]
        assert any(shot.answer == missing for shot in prompt.shots)
    assert len({frozenset(said) for said in QuestionAnswering.sentences.values()}) == 1
