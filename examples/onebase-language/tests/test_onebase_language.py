"""The application keeps the contract, names languages in the language of the answer, and knows when it guesses."""

import pytest

from assistant import Labels, Request
from assistant.testing import check_application
from onebase_language import LanguageIdentification, vote_route


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


def test_it_asks_for_messages_in_another_script(echo_assistant):
    (vote,) = vote_route(Request("Где находится вокзал и когда идёт поезд?"))
    assert (vote.application, vote.score) == ("language", 0.6)
    assert vote_route(Request("Où est la gare ? 駅")) == vote_route(Request("12345")) == []
    route, _ = echo_assistant("onebase_language").route(Request("Где находится вокзал и когда идёт поезд?"))
    assert "language" in (route.application, *(name for name, _ in route.alternatives))
