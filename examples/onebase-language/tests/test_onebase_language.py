"""The application keeps the contract, names languages in the language of the answer, and knows when it guesses."""

import pytest

from assistant import Labels, Request
from assistant.testing import check_application
from onebase_language import LanguageIdentification


def test_it_keeps_the_contract(echo_engine):
    check_application(LanguageIdentification(), echo_engine)


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("Guten Morgen, wie geht es Ihnen?", "en", "This is German."),
        ("Guten Morgen, wie geht es Ihnen?", "pt", "Isto é alemão."),
        ("これは本です。", "en", "This is Japanese."),
        ("A reunião foi adiada para amanhã de manhã.", "en", "This is Portuguese."),
    ],
)
def test_plain_texts(echo_assistant, text, language, said):
    *_, reply = echo_assistant("onebase_language").reply(Request(f"/language {text}", language=language))
    assert reply.text == said


def test_a_text_without_a_language_is_a_guess(echo_assistant):
    *_, reply = echo_assistant("onebase_language").reply(Request("/language ok"))
    assert reply.text.startswith("I am not sure.")
    assert next(part for part in reply.parts if isinstance(part, Labels)).unsure


def test_numbers_alone_are_no_text(echo_assistant):
    *_, reply = echo_assistant("onebase_language").reply(Request("/language 12345"))
    assert reply.failed and "needs a text" in reply.text
