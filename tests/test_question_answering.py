"""Question answering: passages of any text, the right ones found, and what is said about what is in them."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from assistant_plugins.question_answering import QuestionAnswering, index, register_applications
from assistant_plugins.question_answering.index import EMBEDDED, READ, Index, Indexes, build_index
from assistant_plugins.question_answering.lexical import Lexical, terms
from assistant_plugins.question_answering.passages import (
    OVERLAP,
    PASSAGE,
    SENTENCE,
    Passage,
    passages,
    sentence_around,
    sentences,
)
from assistant_plugins.question_answering.reading import combined
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

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
from assistant.engine.base import AdapterInfo, BaseInfo, Engine, Extraction, Operation
from assistant.engine.echo import EchoEngine
from assistant.prompts import load_prompt

TOWN = (
    "The town hall was built by Dr. Anna Weiss in 1907. Two years later the tram reached the market square. "
    "Today the hall houses a museum of clocks."
)


class Reader(Engine):
    """Finds the given answers where they stand, with the given probabilities; embeds like the echo engine."""

    operations: ClassVar[frozenset[Operation]] = frozenset({"extract", "embed"})

    def __init__(self, threshold: float = 0.5, **answers: float) -> None:
        self.info = BaseInfo("reader", "0" * 64, 0, "none", 0)
        self.threshold = threshold
        self.answers = {text.replace("_", " "): probability for text, probability in answers.items()}
        self.extracted: list[tuple[str, str]] = []
        self.embedded: list[str] = []

    def adapter(self, adapter: Path) -> AdapterInfo:
        return AdapterInfo(
            adapter,
            "reader",
            "lora",
            "question-answering",
            ("answer",),
            self.threshold,
            0,
            0,
            {},
            (),
            "",
        )

    def extract(self, inputs: Sequence[tuple[str, str]], adapter: Path) -> list[tuple[Extraction, ...]]:
        self.extracted += inputs
        return [self._found(context) for _, context in inputs]

    def embed(self, inputs: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += inputs
        return EchoEngine().embed(inputs)

    def _found(self, context: str) -> tuple[Extraction, ...]:
        found = [
            Extraction(context.index(text), context.index(text) + len(text), probability)
            for text, probability in self.answers.items()
            if text in context
        ]
        nothing = 1.0 - sum(each.probability for each in found)
        return tuple(sorted([*found, Extraction(0, 0, nothing)], key=lambda each: -each.probability))


def ask(
    engine: Engine, question: str, context: str = "", documents: Sequence[Document] = (), language: str = "en"
) -> list[ReplyPart]:
    """The parts of the reply, Progress left out, as the core would pass them on."""
    context = context or "\n\n".join(document.text for document in documents).strip()
    payload = Payload({"question": question, "context": context})
    request = Request(question, documents=tuple(documents), language=language, payload=payload)
    parts = [checked_part(part) for part in QuestionAnswering().answer(request, engine)]
    return [part for part in parts if not isinstance(part, Progress)]


def drained(steps: Generator[Progress, None, Index]) -> tuple[list[Progress], Index]:
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return seen, end.value


def book(pages: int, **special: str) -> list[str]:
    """Pages about nothing in particular, with `special` ones by number ("p7")."""
    filler = "The committee discussed item {n} at length. Nothing was decided, and the members went home. "
    return [special.get(f"p{n}", filler.format(n=n) * 20) for n in range(pages)]


# --- passages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Dr. Weiss left. Mr. J. Smith came, e.g. by bus.",
            ["Dr. Weiss left.", "Mr. J. Smith came, e.g. by bus."],
        ),
        (
            "It costs 3.50 euros. Cheap!  “Really?” Yes.",
            ["It costs 3.50 euros.", "Cheap!", "“Really?”", "Yes."],
        ),
        ("O Sr. Faria saiu. Às dez voltou.", ["O Sr. Faria saiu.", "Às dez voltou."]),
        ("A heading\n\nA text that\ngoes on.", ["A heading", "A text that\ngoes on."]),
        ("Bring:\n- a coat\n- boots\n1. go", ["Bring:", "- a coat", "- boots", "1. go"]),
        ("He asked why … and left.", ["He asked why … and left."]),
        (" \n ", []),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_what_has_no_full_stop_is_cut_at_lines_and_words() -> None:
    table = "\n".join(f"row {n}\t{n * n}" for n in range(100))
    assert [table[start:end] for start, end in sentences(table)] == table.split("\n")
    words = " ".join(f"word{n}" for n in range(200))
    pieces = [words[start:end] for start, end in sentences(words)]
    assert " ".join(pieces) == words and max(map(len, pieces)) <= SENTENCE
    assert [end - start for start, end in sentences("x" * 1000)] == [SENTENCE, SENTENCE, 1000 - 2 * SENTENCE]


@given(st.lists(st.text(alphabet="abc A.\n!", max_size=3000), max_size=3))
def test_passages_hold_every_word_and_are_bounded(pages: list[str]) -> None:
    held: list[set[int]] = [set() for _ in pages]
    for passage in passages(pages):
        assert 0 <= passage.start < passage.end <= len(pages[passage.page])
        assert passage.end - passage.start <= PASSAGE + OVERLAP + 2 * SENTENCE
        assert passage.text(pages) == passage.text(pages).strip()
        held[passage.page].update(range(passage.start, passage.end))
    for page, positions in zip(pages, held, strict=True):
        assert all(position in positions for position, c in enumerate(page) if not c.isspace())


def test_passages_are_of_like_length_and_overlap_by_a_sentence() -> None:
    page = " ".join(f"This is sentence number {n} of a page." for n in range(60))
    cut = passages([page, "", "A short page."])
    assert [passage.page for passage in cut] == [0, 0, 0, 2]
    lengths = [passage.end - passage.start for passage in cut[:3]]
    assert max(lengths) - min(lengths) < 100 and max(lengths) <= PASSAGE
    for first, second in pairwise(cut[:3]):
        assert sentences(page[second.start : first.end]) == [(0, first.end - second.start)]


def test_the_sentence_around_an_answer() -> None:
    start = TOWN.index("tram")
    first, last = sentence_around(TOWN, start, start + 4)
    assert TOWN[first:last] == "Two years later the tram reached the market square."
    assert sentence_around("  ", 0, 1) == (0, 1)


# --- retrieval ----------------------------------------------------------------------------------------------


def test_words_are_compared_without_case_accents_and_endings() -> None:
    assert terms("What did the Regulations regulate?") == terms("regulating regulates")
    assert terms("Quem é o FUNDADOR da organização?") == terms("fundador organizacao e")
    assert terms("1984 1985") == ["1984", "1985"]


def test_lexical_scores() -> None:
    lexical = Lexical(["a cat and a dog", "a dog, and a dog again", "birds"])
    cat, dogs, birds = lexical.scores("Where is the cat or the dog?")
    assert cat > dogs > 0 == birds
    assert not lexical.scores("the whale").any() and not lexical.scores("").any()
    assert Lexical([]).scores("cat").shape == (0,)


def test_the_right_passage_is_found_among_many() -> None:
    pages = book(60, p41=TOWN)
    engine = Reader()
    steps, built = drained(build_index(pages, engine, "Reading"))
    assert len(built.passages) > 100 and built.vectors is not None
    assert [step.done for step in steps] == list(range(0, len(built.passages), index.CHUNK))
    assert {(step.total, step.text) for step in steps} == {(len(built.passages), "Reading")}
    nearest = built.nearest("Who built the town hall?", pages, engine)
    assert nearest[0] == Passage(41, 0, len(TOWN)) and len(nearest) == READ


def test_a_passage_is_found_by_its_meaning_alone() -> None:
    class Meanings(Reader):
        def embed(self, inputs: Sequence[str]) -> NDArray[np.float32]:
            return np.array([[1.0, 0.0] if "fee" in x or "price" in x else [0.0, 1.0] for x in inputs], "f4")

    pages = book(20, p7="Withdrawing costs a fee.")
    engine = Meanings()
    assert drained(build_index(pages, engine))[1].nearest("price?", pages, engine)[0].page == 7


def test_of_a_very_long_text_only_candidates_are_embedded() -> None:
    pages = [f"Page {n} is about nothing." for n in range(EMBEDDED + 50)]
    pages[900] = TOWN
    engine = Reader()
    steps, built = drained(build_index(pages, engine))
    assert not steps and built.vectors is None and not engine.embedded
    assert built.nearest("Who built the town hall?", pages, engine)[0].page == 900
    assert len(engine.embedded) == index.CANDIDATES + 1


def test_an_engine_without_embeddings_finds_by_words() -> None:
    class Wordy(Reader):
        operations: ClassVar[frozenset[Operation]] = frozenset({"extract"})

    pages, engine = book(30, p11=TOWN), Wordy()
    built = drained(build_index(pages, engine))[1]
    assert built.nearest("Who built the town hall?", pages, engine)[0].page == 11 and not engine.embedded


def test_an_index_is_kept_by_its_text_and_base() -> None:
    engine, indexes, pages = Reader(), Indexes(10**6), book(9)
    first = drained(indexes.get(pages, engine))[1]
    assert drained(indexes.get(list(pages), engine)) == ([], first)
    other = Reader()
    other.info = replace(other.info, sha256="1" * 64)
    assert drained(indexes.get(pages, other))[1] is not first
    assert drained(indexes.get(["ab", "c"], engine))[1] is not drained(indexes.get(["a", "bc"], engine))[1]
    assert len(indexes) == 4


def test_the_oldest_index_goes_when_the_budget_is_spent() -> None:
    engine, texts = Reader(), [[f"{TOWN} {n}"] for n in range(3)]
    size = drained(build_index(texts[0], engine))[1].nbytes
    indexes = Indexes(2 * size + 100)
    first, _, _ = (drained(indexes.get(text, engine))[1] for text in (texts[0], texts[1], texts[0]))
    drained(indexes.get(texts[2], engine))
    assert len(indexes) == 2
    assert drained(indexes.get(texts[0], engine))[1] is first
    nothing = Indexes(0)
    drained(nothing.get(texts[0], engine))
    assert len(nothing) == 0


def test_many_threads_share_the_indexes() -> None:
    engine, indexes = Reader(), Indexes(40_000)
    built: list[Index] = []

    def work(number: int) -> None:
        for n in range(20):
            built.append(drained(indexes.get(book(9, p3=f"{TOWN} {(n + number) % 5}"), engine))[1])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 80 and 0 < len(indexes) < 5


# --- reading ------------------------------------------------------------------------------------------------

PAGE = "Paris is in France. Rome is in Italy. Paris again."
NOWHERE = (Extraction(0, 0, 0.9), Extraction(5, 7, 0.1))


def at(text: str, probability: float, nth: int = 0) -> Extraction:
    start = [n for n in range(len(PAGE)) if PAGE.startswith(text, n)][nth]
    return Extraction(start, start + len(text), probability)


def test_of_one_passage_the_probabilities_stay() -> None:
    found = (at("France", 0.6), Extraction(0, 0, 0.3), at("Italy", 0.1))
    answers, nothing = combined([(Passage(0, 0, len(PAGE)), found)], [PAGE])
    assert [answer.text for answer in answers] == ["France", "Italy"]
    assert [answer.probability for answer in answers] == pytest.approx([0.6, 0.1])
    assert nothing == pytest.approx(0.3)


def test_one_passage_that_knows_outweighs_many_that_do_not() -> None:
    pages = [PAGE] + [f"{n} says nothing." for n in range(5)]
    found = [
        (Passage(0, 0, len(PAGE)), (at("France", 0.95), Extraction(0, 0, 0.05))),
        *((Passage(n, 0, 15), NOWHERE) for n in range(1, 6)),
    ]
    answers, nothing = combined(found, pages)
    assert answers[0].text == "France" and answers[0].probability > 0.9
    assert nothing < 0.1
    answers, nothing = combined(found[1:], pages)
    assert nothing > 0.6 > answers[0].probability
    assert nothing + sum(answer.probability for answer in answers) == pytest.approx(1)


def test_spans_that_overlap_are_one_answer() -> None:
    found = (at("France", 0.5), at("in France", 0.3), Extraction(0, 0, 0.1), at("Italy", 0.1))
    answers, _ = combined([(Passage(0, 0, len(PAGE)), found)], [PAGE])
    assert [answer.text for answer in answers] == ["France", "Italy"]
    assert [answer.probability for answer in answers] == pytest.approx([0.8, 0.1])


def test_the_same_answer_elsewhere_is_no_further_evidence() -> None:
    whole = Passage(0, 0, len(PAGE))
    twice = (at("Paris", 0.4), at("Paris", 0.2, nth=1), Extraction(0, 0, 0.4))
    answers, nothing = combined([(whole, twice)], [PAGE])
    assert [answer.start for answer in answers] == [0] and nothing == pytest.approx(0.5)
    overlapping = [
        (Passage(0, 0, 40), (at("Italy", 0.5), Extraction(0, 0, 0.5))),
        (Passage(0, 20, 50), (Extraction(11, 16, 0.5), Extraction(0, 0, 0.5))),
    ]
    (italy,), nothing = combined(overlapping, [PAGE])
    assert italy.text == "Italy" and (italy.probability, nothing) == pytest.approx((0.5, 0.5))


def test_odd_results_of_an_engine() -> None:
    whole = Passage(0, 0, len(PAGE))
    assert combined([], []) == ((), 1.0)
    assert combined([(whole, ())], [PAGE]) == ((), 1.0)
    (answer,), nothing = combined([(whole, (at("France.", 1.0),))], [PAGE])
    assert answer.probability == pytest.approx(1) and nothing < 1e-8
    untidy = "He has: a cat, a dog; more."
    spans = (Extraction(6, 14, 0.9), Extraction(6, 8, 0.1))
    (answer,), _ = combined([(Passage(0, 0, len(untidy)), spans)], [untidy])
    assert (answer.text, untidy[answer.start : answer.end]) == ("a cat", "a cat")


# --- the application ----------------------------------------------------------------------------------------


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


def test_only_the_best_answers_are_shown() -> None:
    words = dict.fromkeys(("hall", "built", "Anna", "tram", "market", "museum"), 0.1)
    labels = next(part for part in ask(Reader(**words), "What?", TOWN) if isinstance(part, Labels))
    assert len(labels.scores) == 5


@pytest.mark.parametrize("language", ["pt", "pt-BR"])
def test_portuguese(language: str) -> None:
    text = "A câmara foi construída por Rui Faria.\n\nHoje é um museu."
    document = Document("vila.pdf", ("Índice", text))
    said, labels, spans, citation = ask(
        Reader(Rui_Faria=0.9), "Quem a construiu?", documents=[document], language=language
    )
    assert said == Text("Segundo “vila.pdf”, página 2: Rui Faria.")
    assert isinstance(labels, Labels) and labels.scores[1].label == "não está no texto"
    assert isinstance(spans, Spans) and spans.spans[0].label == "resposta"
    assert citation == Citation("vila.pdf", 2, "A câmara foi construída por Rui Faria.")
    said, *_ = ask(Reader(Rui_Faria=0.9), "Quem?", text, language=language)
    assert said == Text("Segundo o parágrafo 1 do texto: Rui Faria.")
    assert ask(Reader(), "Quem?", text, language=language)[0] == Text("O texto não diz.")
    unsure = ask(Reader(0.7, Rui_Faria=0.6), "Quem?", "Foi Rui Faria.", language=language)[0]
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
    assert 15 <= len(application.examples) <= 30 and len(set(application.examples)) == len(
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
