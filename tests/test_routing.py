"""Which application a message goes to, on the real base's embeddings."""

from __future__ import annotations

import pytest
from assistant_plugins.question_answering import QuestionAnswering
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routing_applications import BUILT_IN, Answers, Choices, Mistakes, Summary

from assistant.applications import Document, Payload, Request, Turn, Vote
from assistant.engine.base import Engine
from assistant.engine.echo import EchoEngine
from assistant.errors import InputError
from assistant.payload.language import guess_language
from assistant.routing import Router
from assistant.routing.followups import follow_up
from assistant.routing.voter import none_lines

LAST = Payload({"text": "The plot dragged."})
HISTORY = (Turn("user", "…", "sentiment", LAST), Turn("assistant", "…", "sentiment", LAST))
DOCUMENTS = (Document("report.txt", ("The long report.",)),)


@pytest.fixture(scope="module")
def router(encoder: Engine) -> Router:
    return Router(encoder, BUILT_IN)


@pytest.mark.parametrize(
    ("message", "application"),
    [
        ("Is this review positive? 'The plot dragged.'", "sentiment"),
        ("pls check the sentimnet: i want my money back", "sentiment"),
        ("Does 'A man sleeps' follow from 'A man naps on a couch'?", "nli"),
        ("Premise: A cat sits. Hypothesis: An animal sits.", "nli"),
        ('Is this bullying? "Nobody likes you."', "cyberbullying"),
        ('Isso é bullying? "Ninguém gosta de você."', "cyberbullying"),
        ("Esta opinião é positiva ou negativa? O hotel é lindo.", "sentiment"),
    ],
)
def test_instructions_find_their_application(router: Router, message: str, application: str) -> None:
    route, payload = router.route(Request(message))
    assert route.application == application
    assert payload is not None
    assert route.reason


@pytest.mark.parametrize(
    "message",
    [
        "hello",
        "what's the weather tomorrow?",
        "I feel positive about today",
        "is my cat bullying me",
        "if it rains tomorrow, will the match be cancelled?",
        'translate this into French: "I love you"',
        "what is 17 * 23?",
        "bom dia",
        "",
        "??",
        "😂",
    ],
)
def test_what_no_application_serves_is_nobodys(router: Router, message: str) -> None:
    route, payload = router.route(Request(message))
    assert (route.application, payload) == (None, None)


def test_a_text_without_an_instruction_is_asked_back(router: Router) -> None:
    route, _ = router.route(Request("The plot dragged and the acting was wooden."))
    assert route.application is None
    assert {id_ for id_, _ in route.alternatives} >= {"sentiment", "cyberbullying"}


def test_a_slash_command_decides(router: Router) -> None:
    route, payload = router.route(Request("/cyberbullying Is this positive?"))
    assert route.application == "cyberbullying"
    assert route.reason == "You typed /cyberbullying."
    assert payload == Payload({"text": "Is this positive?"})


def test_a_command_may_begin_with_a_figure() -> None:
    class Codes(Summary):
        id = "2fa"

    route, payload = Router(EchoEngine(), {"2fa": Codes()}).route(Request("/2fa the code came late"))
    assert (route.application, payload) == ("2fa", Payload({"text": "the code came late"}))


def test_a_bare_slash_command_takes_the_last_text_or_the_document(router: Router) -> None:
    assert router.route(Request("/cyberbullying", HISTORY))[1] == LAST
    assert router.route(Request("/sentiment", documents=DOCUMENTS))[1] == Payload(
        {"text": "The long report."}
    )
    assert router.route(Request("/sentiment")) == (router.route(Request("/sentiment"))[0], None)


def test_an_unknown_command_names_the_nearest(router: Router) -> None:
    with pytest.raises(InputError, match="/sentimant; did you mean /sentiment"):
        router.route(Request("/sentimant good"))
    with pytest.raises(InputError, match="no application 'x'"):
        router.route(Request("good", application="x"))


def test_a_path_is_no_command(router: Router) -> None:
    assert router.route(Request("/home/me/file.txt is missing"))[0].application is None


def test_the_pinned_application_decides(router: Router) -> None:
    route, payload = router.route(Request("Is this bullying? Nobody came.", application="sentiment"))
    assert route.application == "sentiment"
    assert payload is not None


@pytest.mark.parametrize(
    ("message", "application", "payload"),
    [
        ("and this one: I loved it!", "sentiment", Payload({"text": "I loved it!"})),
        ("what about 'I loved it!'?", "sentiment", Payload({"text": "I loved it!"})),
        ("e esta: Gostei!", "sentiment", Payload({"text": "Gostei!"})),
        ("why?", "sentiment", Payload(LAST.fields, {"explain": "yes"})),
        ("por quê?", "sentiment", Payload(LAST.fields, {"explain": "yes"})),
        ("shorter please", "sentiment", Payload(LAST.fields, {"length": "shorter"})),
        ("too long", "sentiment", Payload(LAST.fields, {"length": "shorter"})),
        ("in fewer words", "sentiment", Payload(LAST.fields, {"length": "shorter"})),
        ("with more words, please", "sentiment", Payload(LAST.fields, {"length": "longer"})),
        ("reduce it to half", "sentiment", LAST),
        ("now in two sentences", "sentiment", LAST),
        ("why that one?", "sentiment", Payload(LAST.fields, {"explain": "yes"})),
        ("same question for: I loved it, really", "sentiment", Payload({"text": "I loved it, really"})),
        ("what about we will never come back?", "sentiment", Payload({"text": "we will never come back"})),
        ("does the author harass anyone?", "cyberbullying", LAST),
        ("any harassment?", "cyberbullying", LAST),
        ("and is it bullying?", "cyberbullying", LAST),
    ],
)
def test_follow_ups(router: Router, message: str, application: str, payload: Payload) -> None:
    route, found = router.route(Request(message, HISTORY))
    assert (route.application, found) == (application, payload)


def test_a_new_question_is_no_follow_up(router: Router) -> None:
    assert router.route(Request("why is the sky blue?", HISTORY))[0].application is None


def test_a_follow_up_replaces_the_last_of_two_texts(router: Router) -> None:
    last = Payload({"premise": "A man sleeps.", "hypothesis": "He is awake."})
    request = Request("what about 'A person rests.'?", (Turn("user", "…", "nli", last),))
    assert router.route(request)[1] == Payload({"premise": "A man sleeps.", "hypothesis": "A person rests."})


BRIDGE = Payload({"question": "Who built it?", "context": "The bridge was built by a local firm in 1893."})


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("and when was it opened?", "when was it opened?"),
        ("How long did the works take?", "How long did the works take?"),
        ("E quando abriu?", "quando abriu?"),
        ("and who built it", "who built it"),
        ("and is it bullying?", None),
        ("Who lives there? The house on the hill has been empty for years.", None),
        ("now this passage: Anna lives in Oslo. Where does Anna live?", None),
        ("thanks!", None),
    ],
)
def test_another_question_about_the_same_text(message: str, question: str | None) -> None:
    applications = {**BUILT_IN, "answers": Answers()}
    followed = follow_up(Request(message, (Turn("user", "…", "answers", BRIDGE),)), applications)
    expected = None if question is None else Payload({**BRIDGE.fields, "question": question})
    assert (followed and followed.payload) == expected


@pytest.mark.parametrize(
    ("question", "continues"),
    [
        ("How long did the works take?", True),
        ("which company made the bridge", True),
        ("and what colour was it?", True),
        ("What's the weather in Lisbon?", False),
        ("what is the capital of France", False),
        ("Did the firm from Lisbon build it?", True),
    ],
)
def test_a_question_on_something_else_is_not_asked_of_the_last_text(
    encoder: Engine, question: str, continues: bool
) -> None:
    router = Router(encoder, {**BUILT_IN, "answers": Answers()})
    request = Request(question, (Turn("user", "…", "answers", BRIDGE),))
    assert (router.route(request)[0].application == "answers") is continues


def test_a_text_after_choices_stands_on_its_own() -> None:
    last = Payload({"question": "Where do fish live?", "choices": ("water", "trees")})
    request = Request("next one: I loved it", (Turn("user", "…", "choices", last),))
    assert follow_up(request, {"choices": Choices()}) is None


def test_applications_of_others_are_learnt_from_their_examples(encoder: Engine) -> None:
    router = Router(encoder, {**BUILT_IN, "summary": Summary(), "mistakes": Mistakes()})
    assert router.route(Request("Summarize this: The council met. It voted."))[0].application == "summary"
    route, payload = router.route(Request("now check it for mistakes", HISTORY))
    assert (route.application, payload) == ("mistakes", LAST)


def test_a_question_about_a_document(encoder: Engine, router: Router) -> None:
    question = Request("Who signed the contract?", documents=DOCUMENTS)
    route, payload = Router(encoder, {**BUILT_IN, "answers": Answers()}).route(question)
    assert route.application == "answers"
    assert payload == Payload({"context": "The long report.", "question": "Who signed the contract?"})
    route, _ = router.route(question)
    assert route.application is None
    assert {id_ for id_, _ in route.alternatives} == {"sentiment", "cyberbullying"}


def test_a_document_is_read_by_who_is_asked(router: Router) -> None:
    route, payload = router.route(Request("Is this document positive or negative?", documents=DOCUMENTS))
    assert (route.application, payload) == ("sentiment", Payload({"text": "The long report."}))


def test_a_plugins_vote_counts(router: Router) -> None:
    message = 'Please look at this text: "The plot dragged."'
    route, _ = router.route(Request(message), [Vote("sentiment", 0.99, "the film plugin says so")])
    assert route.application == "sentiment"
    assert route.reason == "the film plugin says so"


def test_a_question_is_told_by_the_passage_that_speaks_of_it(encoder: Engine) -> None:
    router = Router(encoder, {**BUILT_IN, "question-answering": QuestionAnswering()})
    route, _ = router.route(
        Request("What does the ferry cost? The ferry leaves at nine and costs four euros.")
    )
    assert route.application == "question-answering"
    route, _ = router.route(Request("How many words are in this text? The ferry leaves at nine."))
    assert route.application is None


def test_politeness_is_no_slip_of_the_keyboard(router: Router) -> None:
    # "Please" is one letter away from a cue, "pleased".
    assert router.route(Request('Please look at this text: "The plot dragged."'))[0].application is None


def test_a_close_call_is_asked_back(router: Router) -> None:
    votes = [Vote("sentiment", 0.9), Vote("cyberbullying", 0.85)]
    route, _ = router.route(Request('Please look at this text: "The plot dragged."'), votes)
    assert route.application is None
    assert [id_ for id_, _ in route.alternatives][:2] == ["sentiment", "cyberbullying"]


def test_without_applications_nothing_is_meant(encoder: Engine) -> None:
    assert Router(encoder, {}).route(Request("Is this positive? 'Good.'"))[0].application is None


def test_languages() -> None:
    assert guess_language("Esta avaliação é positiva?") == "pt"
    assert guess_language("Is this café review positive?") == "en"


def test_none_lines_are_many_and_different() -> None:
    lines = none_lines()
    assert len(lines) > 300
    assert len(set(lines)) == len(lines)


ECHO = Router(EchoEngine(), BUILT_IN)


@given(st.text(max_size=80), st.sampled_from([(), HISTORY]), st.sampled_from([(), DOCUMENTS]))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_message_gets_a_route(
    message: str, history: tuple[Turn, ...], documents: tuple[Document, ...]
) -> None:
    try:
        route, payload = ECHO.route(Request(message, history, documents))
    except InputError:
        assert message.lstrip().startswith("/")
    else:
        assert route.reason
        assert route.application is not None or payload is None
