"""The greedy oracle: which sentences come closest to a summary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.workshop.oracle import greedy_oracle

DOCUMENT = (
    "The weather had been fine all week .",
    "On Friday a storm tore the roof off the town hall .",
    "Nobody was hurt .",
    "The mayor said the roof of the town hall will be rebuilt by May .",
    "People bought candles .",
)


def test_the_sentences_of_the_summary_are_found() -> None:
    summary = "A storm tore the roof off the town hall on Friday .\nIt will be rebuilt by May ."
    assert greedy_oracle(DOCUMENT, summary) == [0, 1, 0, 1, 0]


def test_a_copied_sentence_is_enough() -> None:
    assert greedy_oracle(DOCUMENT, DOCUMENT[2]) == [0, 0, 1, 0, 0]


def test_case_and_punctuation_do_not_count() -> None:
    assert greedy_oracle(["Ótimo!", "Nada disso."], "ÓTIMO") == [1, 0]


def test_no_more_than_the_limit() -> None:
    summary = "\n".join(DOCUMENT)
    assert sum(greedy_oracle(DOCUMENT, summary)) == 3
    assert sum(greedy_oracle(DOCUMENT, summary, limit=1)) == 1
    assert greedy_oracle(DOCUMENT, summary, limit=5) == [1, 1, 1, 1, 1]
    assert greedy_oracle(DOCUMENT, summary, limit=0) == [0, 0, 0, 0, 0]


def test_the_first_of_equal_sentences_is_taken_and_no_copy_of_it() -> None:
    assert greedy_oracle(["Rain.", "It snows a lot.", "It snows a lot."], "it snows a lot") == [0, 1, 0]


def test_nothing_in_common_or_nothing_at_all() -> None:
    assert greedy_oracle(DOCUMENT, "Quantum chromodynamics") == [0, 0, 0, 0, 0]
    assert greedy_oracle(DOCUMENT, " \n ") == [0, 0, 0, 0, 0]
    assert greedy_oracle(["", "..."], "words") == [0, 0]
    assert greedy_oracle([], "words") == []


def test_word_pairs_do_not_reach_across_lines() -> None:
    # "b c" is a pair only where the lines are run together; then the second sentence would win.
    assert greedy_oracle(["a b", "b c"], "a b\nc d", limit=1) == [1, 0]
    assert greedy_oracle(["b c", "a b"], "a b\nc d", limit=1) == [0, 1]


def rouge(sentence: str, summary: str) -> float:
    """ROUGE-1 F plus ROUGE-2 F over sets, written the long way."""
    have_words, want_words = sentence.split(), summary.split()
    total = 0.0
    for size in (1, 2):
        have = {tuple(have_words[i : i + size]) for i in range(len(have_words) - size + 1)}
        want = {tuple(want_words[i : i + size]) for i in range(len(want_words) - size + 1)}
        if both := have & want:
            precision, recall = len(both) / len(have), len(both) / len(want)
            total += 2 * precision * recall / (precision + recall)
    return total


texts = st.lists(st.sampled_from("abcde"), min_size=1, max_size=6).map(" ".join)


@given(st.lists(texts, min_size=1, max_size=6), texts)
def test_one_sentence_is_the_best_one(sentences: list[str], summary: str) -> None:
    closeness = [rouge(sentence, summary) for sentence in sentences]
    labels = greedy_oracle(sentences, summary, limit=1)
    assert sum(labels) == (max(closeness) > 0)
    assert not any(labels) or closeness[labels.index(1)] == pytest.approx(max(closeness))
