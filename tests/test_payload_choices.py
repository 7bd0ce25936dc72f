"""A question and its choices in messages as people type them: after the question, before it or within it."""

from __future__ import annotations

import pytest
from routing_applications import Choices

from assistant.applications import Request
from assistant.payload import find, find_payload
from assistant.payload.source import Source

Case = tuple[str, str, tuple[str, ...]]
# Messages that the rules were made with, and messages that were written when the rules stood.
WRITTEN_WITH_THE_CODE: list[Case] = [
    (
        "The man broke his toe. What was the cause? a) He got a hole in his "
        "sock. b) He dropped a hammer on his foot.",
        "The man broke his toe. What was the cause?",
        ("He got a hole in his sock.", "He dropped a hammer on his foot."),
    ),
    (
        "Which makes more sense: 'He put an elephant into the fridge' or 'He put a turkey into the fridge'?",
        "Which makes more sense",
        ("He put an elephant into the fridge", "He put a turkey into the fridge"),
    ),
    (
        "Would you keep ice cream in the oven or the freezer?",
        "Would you keep ice cream in",
        ("the oven", "the freezer"),
    ),
    # A dotted İ is a letter to a pattern that does not look at capitals, and none of a, b, c.
    (
        "Who was mayor? A) İ. Melih Gökçek B) Mansur Yavaş",
        "Who was mayor?",
        ("İ. Melih Gökçek", "Mansur Yavaş"),
    ),
    ("Where do fish live, is it water, sand or trees?", "Where do fish live", ("water", "sand", "trees")),
    (
        "She opened the umbrella because … a) it was raining b) she was hungry",
        "She opened the umbrella because …",
        ("it was raining", "she was hungry"),
    ),
    (
        "She opened the umbrella because it was raining or because she was hungry?",
        "She opened the umbrella",
        ("because it was raining", "because she was hungry"),
    ),
    ("Which is heavier, a feather or a brick?", "Which is heavier", ("a feather", "a brick")),
    ("a feather or a brick: which is heavier?", "which is heavier?", ("a feather", "a brick")),
    (
        "What is the likely cause - it rained or it snowed?",
        "What is the likely cause",
        ("it rained", "it snowed"),
    ),
    ("Where do fish live? [A] in water [B] in trees", "Where do fish live?", ("in water", "in trees")),
    ("Where do fish live?\nin water\nor\nin trees", "Where do fish live?", ("in water", "in trees")),
    ("and where do fish live? a) in water b) in trees", "where do fish live?", ("in water", "in trees")),
    (
        "What is more likely, that the dog barked or that the dog sang?",
        "What is more likely",
        ("the dog barked", "the dog sang"),
    ),
    (
        "What was the cause?\nThe man broke his toe.\n- He got a hole in his sock.\n- He dropped a hammer.",
        "What was the cause?\nThe man broke his toe.",
        ("He got a hole in his sock.", "He dropped a hammer."),
    ),
    (
        "My phone fell into the pool. What happened as a result? It stopped working or it rang louder.",
        "My phone fell into the pool. What happened as a result?",
        ("It stopped working", "it rang louder"),
    ),
    (
        "A) He ate a stone. B) He ate an apple. Which one makes sense?",
        "Which one makes sense?",
        ("He ate a stone.", "He ate an apple."),
    ),
    (
        "He ate a stone. He ate an apple. Which makes more sense?",
        "Which makes more sense?",
        ("He ate a stone.", "He ate an apple."),
    ),
    (
        "Which statement is against common sense?\nHe walked to mars\nHe walked to the store",
        "Which statement is against common sense?",
        ("He walked to mars", "He walked to the store"),
    ),
    (
        "The oven or the freezer, where would you keep ice cream?",
        "where would you keep ice cream?",
        ("The oven", "the freezer"),
    ),
    (
        "The street is wet. Did it rain or did somebody bake bread?",
        "The street is wet.",
        ("Did it rain", "did somebody bake bread"),
    ),
    (
        "What do people use to cut paper? scissors, a spoon or a pillow",
        "What do people use to cut paper?",
        ("scissors", "a spoon", "a pillow"),
    ),
    (
        "Hi! What would you wear when it snows? (1) a coat (2) a swimsuit Thanks!",
        "What would you wear when it snows?",
        ("a coat", "a swimsuit Thanks!"),
    ),
    (
        "Onde você guardaria sorvete: no forno ou no congelador?",
        "Onde você guardaria sorvete",
        ("no forno", "no congelador"),
    ),
    (
        "O homem quebrou o dedo do pé. Por quê? a) A meia dele furou. b) Ele deixou cair um martelo.",
        "O homem quebrou o dedo do pé. Por quê?",
        ("A meia dele furou.", "Ele deixou cair um martelo."),
    ),
    (
        "Qual faz mais sentido: 'Ele bebeu a água' ou 'Ele bebeu a mesa'?",
        "Qual faz mais sentido",
        ("Ele bebeu a água", "Ele bebeu a mesa"),
    ),
    (
        "Você guardaria leite no armário ou na geladeira?",
        "Você guardaria leite",
        ("no armário", "na geladeira"),
    ),
    ("Is fire hot or cold?", "Is fire", ("hot", "cold")),
    (
        "What happened as a result? The skunk sprayed the dog. Options: the dog smelled bad; the skunk sang",
        "What happened as a result? The skunk sprayed the dog.",
        ("the dog smelled bad", "the skunk sang"),
    ),
]
WRITTEN_AFTERWARDS: list[Case] = [
    (
        "Tom's phone died. why? A. he forgot to charge it B. he called his mom",
        "Tom's phone died. why?",
        ("he forgot to charge it", "he called his mom"),
    ),
    (
        "should you store batteries in the fire or in a drawer?",
        "should you store batteries",
        ("in the fire", "in a drawer"),
    ),
    (
        "Which sentence makes sense?\n1) The dog barked at the mailman.\n2) The mailman barked at the carpet.",
        "Which sentence makes sense?",
        ("The dog barked at the mailman.", "The mailman barked at the carpet."),
    ),
    (
        "The ice melted because: the sun came out / the moon is round",
        "The ice melted because",
        ("the sun came out", "the moon is round"),
    ),
    ("Do penguins live in cold places or hot places?", "Do penguins live in", ("cold places", "hot places")),
    (
        "what's the more likely result of skipping lunch? being hungry or being tall",
        "what's the more likely result of skipping lunch?",
        ("being hungry", "being tall"),
    ),
    (
        "I left the window open during the storm. What happened next?\n\nA. "
        "The floor got wet.\nB. The floor became carpet.\nC. The storm apologised.",
        "I left the window open during the storm. What happened next?",
        ("The floor got wet.", "The floor became carpet.", "The storm apologised."),
    ),
    (
        '"She ate soup with a spoon" or "She ate soup with a knife": which is more plausible?',
        "which is more plausible?",
        ("She ate soup with a spoon", "She ate soup with a knife"),
    ),
    (
        "What would you use to hang a picture? hammer and nail, spoon, or pillow?",
        "What would you use to hang a picture?",
        ("hammer and nail", "spoon", "pillow"),
    ),
    ("Is it normal to sleep in a bed or in a sink?", "Is it normal to sleep", ("in a bed", "in a sink")),
    (
        "Question: What do bees make?\nOptions:\nA) honey\nB) steel\nC) paper planes",
        "What do bees make?",
        ("honey", "steel", "paper planes"),
    ),
    (
        "The crowd cheered. Was it because the team scored or because it was Tuesday?",
        "The crowd cheered.",
        ("because the team scored", "because it was Tuesday"),
    ),
    (
        "Where do you put dirty dishes, the sink, the bed or the mailbox?",
        "Where do you put dirty dishes",
        ("the sink", "the bed", "the mailbox"),
    ),
    (
        "My car won't start. Most likely cause? * dead battery\n* the paint is red",
        "My car won't start. Most likely cause?",
        ("dead battery", "the paint is red"),
    ),
    (
        "Which one is weird: He drove his car to work / He drove his banana to work",
        "Which one is weird",
        ("He drove his car to work", "He drove his banana to work"),
    ),
    (
        "hey, quick one: do you dry clothes in the sun or under the shower?",
        "do you dry clothes",
        ("in the sun", "under the shower"),
    ),
    (
        "The kids ran inside. What caused this? a) thunder b) a butterfly. Which is right?",
        "The kids ran inside. What caused this?\nWhich is right?",
        ("thunder", "a butterfly"),
    ),
    (
        "Sand or snow, which one do you find in a desert?",
        "which one do you find in a desert?",
        ("Sand", "snow"),
    ),
    (
        "O gato subiu na árvore porque… a) um cachorro o perseguia b) a árvore era azul",
        "O gato subiu na árvore porque…",
        ("um cachorro o perseguia", "a árvore era azul"),
    ),
    (
        "Para cortar pão você usa uma faca ou um travesseiro?",
        "Para cortar pão você usa",
        ("uma faca", "um travesseiro"),
    ),
    (
        "A luz acabou. O que aconteceu depois?\n- A geladeira parou.\n- O mar secou.",
        "A luz acabou. O que aconteceu depois?",
        ("A geladeira parou.", "O mar secou."),
    ),
    (
        'Qual destas frases contraria o senso comum? "Ele nadou na piscina." "Ele nadou na pizza."',
        "Qual destas frases contraria o senso comum?",
        ("Ele nadou na piscina.", "Ele nadou na pizza."),
    ),
    (
        "O que você levaria para a praia: um casaco, um protetor solar ou um trenó?",
        "O que você levaria para a praia",
        ("um casaco", "um protetor solar", "um trenó"),
    ),
    (
        "Choose the most plausible answer. People wear helmets on bikes "
        "to\n1. stay safe\n2. smell better\n3. grow hair",
        "People wear helmets on bikes to",
        ("stay safe", "smell better", "grow hair"),
    ),
    (
        "Statement 1: The fish climbed the stairs. Statement 2: The fish swam "
        "in the pond. Which statement makes sense?",
        "Which statement makes sense?",
        ("The fish climbed the stairs.", "The fish swam in the pond."),
    ),
    ("Will a stone float or sink in water?", "Will a stone", ("float", "sink in water")),
    (
        "If it's raining outside, should I take an umbrella or sunglasses?",
        "If it's raining outside, should I take",
        ("an umbrella", "sunglasses"),
    ),
    (
        "My sister is sneezing a lot. Why? Possible answers: she has a cold; she won the lottery",
        "My sister is sneezing a lot. Why?",
        ("she has a cold", "she won the lottery"),
    ),
    ("does a cow give milk or petrol", "does a cow give", ("milk", "petrol")),
    (
        "Is it 'bread' or 'gravel' that you put in a toaster?",
        "Is it\nthat you put in a toaster?",
        ("bread", "gravel"),
    ),
    (
        "Jane ran a marathon. She felt … (a) tired (b) rectangular",
        "Jane ran a marathon. She felt …",
        ("tired", "rectangular"),
    ),
    (
        "What is a pillow for? sleeping / swimming / cooking",
        "What is a pillow for?",
        ("sleeping", "swimming", "cooking"),
    ),
    (
        "which is more likely to bite you, a dog or a carpet?",
        "which is more likely to bite you",
        ("a dog", "a carpet"),
    ),
    (
        "The milk smelled sour. What's the cause? It had been left out all night, or the cow was brown?",
        "The milk smelled sour. What's the cause?",
        ("It had been left out all night", "the cow was brown"),
    ),
    (
        "do i brush my teeth with a toothbrush, a fork or a shoe",
        "do i brush my teeth with",
        ("a toothbrush", "a fork", "a shoe"),
    ),
    (
        "What happened as a result of the heavy snow? A) Schools closed. B) People went swimming at the beach.",
        "What happened as a result of the heavy snow?",
        ("Schools closed.", "People went swimming at the beach."),
    ),
    (
        "Pick one: the sky is blue because of A) paint B) scattered light",
        "the sky is blue because of",
        ("paint", "scattered light"),
    ),
    (
        "She turned on the heater, so a) the room got warm b) the room got cold",
        "She turned on the heater, so",
        ("the room got warm", "the room got cold"),
    ),
    (
        "O que se usa para escrever? lápis, martelo ou colher?",
        "O que se usa para escrever?",
        ("lápis", "martelo", "colher"),
    ),
    (
        "Ela chegou atrasada. Por quê? O ônibus quebrou ou ela gosta de queijo?",
        "Ela chegou atrasada. Por quê?",
        ("O ônibus quebrou", "ela gosta de queijo"),
    ),
    ("Um peixe vive na água ou na árvore?", "Um peixe vive", ("na água", "na árvore")),
    ("Qual é mais pesado: um elefante ou uma formiga?", "Qual é mais pesado", ("um elefante", "uma formiga")),
]


@pytest.mark.parametrize(("message", "question", "choices"), WRITTEN_WITH_THE_CODE + WRITTEN_AFTERWARDS)
def test_question_and_choices(message: str, question: str, choices: tuple[str, ...]) -> None:
    payload = find_payload(message, Choices(), Request(message))
    assert payload is not None
    assert (payload.text("question"), payload.fields["choices"]) == (question, choices)


@pytest.mark.parametrize(
    "message",
    [
        "Where do fish live?",
        "The man broke his toe. What was the cause?",
        "Is it more or less the same?",
        "Do you know whether or not it rains?",
        "'He ate a stone' or 'He ate bread'",
        "a) He ate a stone. b) He ate bread.",
        "What is hot? A) ice",
        "or",
        "",
    ],
)
def test_no_question_or_no_choices(message: str) -> None:
    assert find_payload(message, Choices(), Request(message)) is None


def test_more_choices_than_letters_of_a_hand() -> None:
    message = "Which number is prime?\n" + "\n".join(f"{n}. number {n}" for n in range(1, 26))
    payload = find_payload(message, Choices(), Request(message))
    assert payload is not None and len(payload.fields["choices"]) == 25


def test_a_question_that_points_at_a_text_is_no_clear_case() -> None:
    def explicit(message: str) -> bool:
        finding = find(Source.read(message), ("question", "choices"))
        return finding is not None and finding.explicit

    assert explicit("Would you keep milk in the oven or the fridge?")
    assert not explicit("The plot dragged. Is that positive or negative?")


@pytest.mark.parametrize(
    "message",
    [
        "The old man broke his toe. What was the cause? A) a hammer B) a hole",
        "The old man broke his toe. A) a hammer B) a hole\nWhat was the cause?",
    ],
)
def test_a_premise_and_its_question_are_told_apart_where_there_is_a_field_for_each(message: str) -> None:
    finding = find(Source.read(message), ("context", "question", "choices"))
    assert finding is not None
    assert finding.texts(frozenset({"choices"})) == {
        "context": "The old man broke his toe.",
        "question": "What was the cause?",
        "choices": ("a hammer", "a hole"),
    }
