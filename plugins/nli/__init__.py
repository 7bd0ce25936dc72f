"""Natural language inference: does the second text follow from the first?"""

from pathlib import Path
from typing import ClassVar

import assistant_prompts

from assistant import TextClassification, hookimpl

PROMPTS = Path(assistant_prompts.__path__[0])


class NaturalLanguageInference(TextClassification):
    """Says whether one statement follows from another, contradicts it, or neither."""

    id = "nli"
    title = "Inference"
    description = "Says whether one statement follows from another, contradicts it, or neither."
    fields = ("premise", "hypothesis")
    adapter = Path(__file__).parent / "adapter"
    prompts = PROMPTS / "nli"
    examples = (
        "Does 'A person is resting' follow from 'A man is napping on a couch'?",
        "Premise: A woman is playing the violin. Hypothesis: A woman is making music.",
        'Do these two sentences contradict each other? "The shop is open." "The shop is closed."',
        "If all birds can fly, is it true that penguins can fly?",
        'If "Every window is shut" is true, is "One window is shut" true as well?',
        'Given: "He sold his boat." Can I conclude: "He has no boat any more"?',
        "Two kids play football in a park. Does that mean children are outdoors?",
        "He lives in Paris, therefore he lives in France?",
        'Does "All dogs bark" imply "My dog barks"?',
        "The oven is on, so the kitchen is warm?",
        'Can I conclude that she is married from "She wears a ring"?',
        "entailment, neutral or contradiction?\nA man is eating.\nA man is hungry.",
        "Text 1: The train was late. Text 2: The train was on time. Are they consistent?",
        'Is "The dog is outside" entailed by "A dog runs through the snow"?',
        "Given that it rained all night, can we say that the streets are wet?",
        'Is the claim "Nobody came" supported by "Five guests arrived"?',
        'What is the logical relation between "Sales rose" and "Sales fell"?',
        "Does the second statement follow from the first?\n1. Every seat was taken.\n2. The room was full.",
        'The contract says "pets need permission". Does it mean that "dogs are forbidden"?',
        '"I only drink tea" vs "I had a coffee": contradiction?',
        'From "Maria sold her car" can we infer "Maria had a car"?',
        'Do these sentences say the same thing or opposite things? "It is cold." / "It is freezing."',
        "Can both of these be true? A: The road is closed. B: We drove along the road.",
        "If no one in the team smokes, does it follow that the captain doesn't smoke?",
        'My lease says "no noise after ten". Is it correct to conclude that "parties are forbidden"?',
        "Label the pair with entailment, neutral or contradiction.\nText: A boy swims.\nHypothesis: A boy is wet.",
        "she sold her bike which means she has no bike, is that a valid conclusion?",
        'Is it possible that "he is an only child" when "his sister is a doctor"?',
        'Compare these claims, do they agree? "Prices went up." / "Everything got cheaper."',
        "Check if the second sentence is supported by the first.\nTen people came.\nThe event was a success.",
        'The ad says "up to 50 % off". Am I right to infer that "everything is half price"?',
        'does "he stopped smoking" imply that "he used to smoke"?',
        "The museum is free on Sundays => you pay nothing there on Sunday. Is that logical?",
        '"A dog is barking." What can we say about "An animal makes a noise": true, false or unknown?',
        "Premissa: Um homem dorme. Hipótese: Um homem está acordado.",
        '"Todos passaram" implica "Ninguém reprovou"?',
        'Estas frases se contradizem? "Está aberto." e "Está fechado."',
        "Se é feriado, então é verdade que os bancos estão fechados?",
    )
    cues = (
        "nli",
        "entail",
        "entails",
        "entailed",
        "entailment",
        "imply",
        "implies",
        "implied",
        "implication",
        "follow",
        "follows",
        "contradict",
        "contradicts",
        "contradiction",
        "contradictory",
        "infer",
        "inferred",
        "inference",
        "conclude",
        "concluded",
        "conclusion",
        "deduce",
        "deduced",
        "premise",
        "hypothesis",
        "consistent",
        "inconsistent",
        "therefore",
        "does that mean",
        "does this mean",
        "does it mean",
        "is it true that",
        "true given",
        "logical",
        "logic",
        "logically",
        "consequence",
        "supported",
        "support the claim",
        "rules out",
        "rule out",
        "agree",
        "opposite",
        "relation between",
        "statements",
        "claim",
        "implica",
        "contradiz",
        "contradizem",
        "contradição",
        "decorre",
        "premissa",
        "hipótese",
        "concluir",
        "significa que",
        "quer dizer que",
        "é verdade que",
        "inferir",
        "both be true",
        "both true",
        "be true",
        "valid conclusion",
        "necessarily",
        "true, false or unknown",
        "compatible",
        "incompatible",
        "relation",
    )
    sentences: ClassVar = {
        "en": {
            "entailment": "Yes, it follows: if the first is true, so is the second.",
            "neutral": "It does not follow, but it could be true: the first says neither yes nor no.",
            "contradiction": "No, they contradict each other: if the first is true, the second is not.",
        },
        "pt": {
            "entailment": "Sim, decorre: se a primeira é verdadeira, a segunda também é.",
            "neutral": "Não decorre, mas pode ser verdade: a primeira não diz nem sim nem não.",
            "contradiction": "Não, elas se contradizem: se a primeira é verdadeira, a segunda não é.",
        },
    }


@hookimpl
def register_applications() -> list[TextClassification]:
    """The one application."""
    return [NaturalLanguageInference()]
