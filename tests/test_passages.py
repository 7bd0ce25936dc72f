"""Passages of any text, the right ones found, and what is made of what is in them."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
from assistant_plugins.question_answering import index
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
from question_reader import TOWN, Reader, book

from assistant import (
    Progress,
)
from assistant.engine.base import Extraction, Operation


def drained(steps: Generator[Progress, None, Index]) -> tuple[list[Progress], Index]:
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return seen, end.value


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


@pytest.mark.parametrize("piece", [".", ". ", "\n", "\n ", "a"])
def test_a_long_run_of_signs_is_cut_at_once(piece: str) -> None:
    text = piece * (100_000 // len(piece)) + "b"
    assert sentences(text)[-1][1] == len(text)


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
