"""The application keeps the contract, and tells plain requests apart."""

import pytest

from assistant import Labels, Request
from assistant.testing import check_application
from onebase_banking import Banking


def test_it_keeps_the_contract(real_engine):
    check_application(Banking(), real_engine)


def test_its_examples_are_answered(echo_assistant):
    assistant = echo_assistant("onebase_banking")
    for example in Banking.examples:
        *_, reply = assistant.reply(Request(example, application="banking"))
        assert reply.text and not reply.failed


@pytest.mark.parametrize(
    ("request_", "label"),
    [
        ("there is a payment on my statement that I did not make", "fraud"),
        ("move three hundred dollars from savings to checking", "transfer"),
        ("how do I get a replacement for a broken card", "card"),
        ("how many calories are in an apple", "other"),
    ],
)
def test_plain_requests(real_assistant, request_, label):
    *_, reply = real_assistant("onebase_banking").reply(Request(f"/banking {request_}"))
    labels = next(part for part in reply.parts if isinstance(part, Labels))
    assert labels.scores[0].label == label
    assert reply.text == Banking.sentences["en"][label]


def test_it_is_found_without_being_named(real_assistant):
    message = 'Which banking matter is this? "I cannot remember when the water bill is due."'
    *_, reply = real_assistant("onebase_banking").reply(Request(message))
    assert (reply.route.application, reply.payload.text("text")) == (
        "banking",
        "I cannot remember when the water bill is due.",
    )
