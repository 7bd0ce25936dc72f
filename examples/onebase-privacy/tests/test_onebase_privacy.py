"""Private data are noticed, told by kind and not repeated; harmless numbers are left alone."""

import pytest

from assistant import Request
from onebase_privacy import is_card_number, private_data, review_message


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Write to jane.doe+news@mail.example.org today", ["email"]),
        ("call me at (415) 555-2671 tonight", ["phone"]),
        ("my number is +55 11 98765-4321", ["phone"]),
        ("charge 4111 1111 1111 1111, please", ["card"]),
        ("5555-5555-5555-4444, jane@example.org", ["email", "card"]),
        ("In 2019 we sold 1,234,567 units at 12.50 each.", []),
        ("order 4111 1111 1111 1112 was late", []),  # its check digit is wrong
        ("meet me @ noon, room 12-40, from 2019-2020", []),
        ("0000 0000 0000 0000", []),
        ("", []),
    ],
)
def test_what_is_private(text, kinds):
    assert private_data(text, "US") == kinds


def test_the_notice_is_in_the_language_of_the_answer_and_repeats_nothing():
    message = "meu telefone é (11) 98765-4321"
    notice = review_message(Request(message, language="pt"))
    assert notice.kind == "private-data" and "um número de telefone" in notice.text
    assert "98765" not in notice.text
    assert review_message(Request(message, language="en")) is None  # no number of the United States


@pytest.mark.parametrize("number", ["378282246310005", "6011 1111 1111 1117", "4222222222222"])
def test_card_numbers(number):
    assert is_card_number(number)


def test_the_notice_stands_under_the_reply(echo_assistant):
    assistant = echo_assistant("onebase_privacy")
    *_, reply = assistant.reply(Request("Write to jane@example.org"))
    assert "an e-mail address" in reply.text
    *_, reply = assistant.reply(Request("Write to nobody"))
    assert "A note" not in reply.text
