"""Where sentences end."""

from __future__ import annotations

import time

import pytest

from assistant import split_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Dr. Smith left at 5 p.m. The U.S. Army stayed.",
            ["Dr. Smith left at 5 p.m.", "The U.S. Army stayed."],
        ),
        ("She said no. See no. 5 and Fig. 3 too.", ["She said no.", "See no. 5 and Fig. 3 too."]),
        ('"Really?" he asked. "Go!" She went…', ['"Really?" he asked.', '"Go!"', "She went…"]),
        ("A Dra. Ana comprou pão etc. e saiu. Fim.", ["A Dra. Ana comprou pão etc. e saiu.", "Fim."]),
        ("it rained .\nu.s. troops left .", ["it rained .", "u.s. troops left ."]),
        ("Report\n\nA line that is broken because\nthe page ends. Next.\n12\n- Milk\n1. Bread", None),
        (
            "It ends in the middle of a\n\nsentence. Next.",
            ["It ends in the middle of a\n\nsentence.", "Next."],
        ),
        (" \n… !", []),
    ],
)
def test_sentences(text: str, expected: list[str] | None) -> None:
    if expected is None:
        lines = ["Report", "A line that is broken because\nthe page ends.", "Next.", "12", "Milk", "Bread"]
        expected = lines
    assert [text[start:end] for start, end in split_sentences(text)] == expected


@pytest.mark.parametrize("piece", [".", " .", "\n", " ", "- \n", '."', "A b. ", "1.\n", '"'])
def test_any_text_is_split_in_linear_time(piece: str) -> None:
    started = time.perf_counter()
    split_sentences("." + piece * (100_000 // len(piece)))
    assert time.perf_counter() - started < 5
