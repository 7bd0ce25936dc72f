"""The built-in applications' routing material, and one application for each other shape of fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from assistant.applications import Application, ReplyPart, Request, Task
from assistant.engine.base import Engine

SENTIMENT_EXAMPLES = (
    "Is this review positive? 'The plot dragged, but the ending made me cry.'",
    'What\'s the sentiment of "The staff were friendly and the room was spotless"?',
    "positive or negative: I'd buy it again tomorrow",
    "The battery died after a week. - positive or negative?",
    "How does the writer of this feel? “I can't believe how well it works.”",
    "Classify the sentiment of this tweet: flight delayed again, thanks for nothing",
    "Did the customer like it?\n\nArrived two days late and the box was crushed.",
    "sentiment: meh, could be worse",
    "is this good or bad feedback: nice talk, too long though",
    "Rate the mood of this text: I haven't laughed this much in years",
    "Please tell me whether the following comment sounds happy.\n\nWe waited an hour for cold soup.",
    'My boss wrote "let\'s talk about it on Monday" - is he pleased?',
    'Would you call this praise or criticism? "For a first novel it is fine."',
    "Analyse the tone of this message: fine, whatever you say",
    "Does this person sound excited or annoyed? 'I want my money back'",
    'What is the polarity of the sentence "It does what it says"?',
    'what does the reviewer think of it, did they enjoy it?\n"A warm, funny film."',
    'Is the author satisfied or disappointed? "I expected more from this brand."',
    'what feeling does this convey: "another Monday, another meeting"',
    'Is that a favourable opinion? "Not my cup of tea."',
    'Esta avaliação é positiva ou negativa? "A comida estava ótima."',
    "Qual é o sentimento deste comentário: detestei o serviço",
    'O cliente gostou? "Chegou rápido e funciona bem."',
)

SENTIMENT_CUES = (
    "sentiment",
    "sentiments",
    "positive",
    "negative",
    "positivity",
    "negativity",
    "pos",
    "neg",
    "polarity",
    "tone",
    "mood",
    "vibe",
    "favourable",
    "favorable",
    "unfavourable",
    "good or bad",
    "bad or good",
    "good feedback",
    "bad feedback",
    "good review",
    "bad review",
    "praise",
    "criticism",
    "compliment",
    "satisfied",
    "unsatisfied",
    "pleased",
    "disappointed",
    "opinion",
    "attitude",
    "happy",
    "unhappy",
    "upbeat",
    "gloomy",
    "angry",
    "feel",
    "feels",
    "feeling",
    "feelings",
    "emotion",
    "like it",
    "liked it",
    "likes it",
    "like the",
    "liked the",
    "enjoyed",
    "enjoy",
    "thumbs up",
    "thumbs down",
    "enthusiastic",
    "excited",
    "annoyed",
    "frustrated",
    "sad",
    "optimistic",
    "pessimistic",
    "impressed",
    "recommend",
    "recommends",
    "sounds good",
    "sound positive",
    "rave",
    "delighted",
    "neutral",
    "sentimento",
    "sentimentos",
    "positivo",
    "positiva",
    "negativo",
    "negativa",
    "tom",
    "humor",
    "gostou",
    "gostaram",
    "favorável",
    "bom ou mau",
    "boa ou má",
    "satisfeito",
    "opinião",
)

NLI_EXAMPLES = (
    "Does 'A person is resting' follow from 'A man is napping on a couch'?",
    "Premise: A woman is playing the violin. Hypothesis: A woman is making music.",
    'Do these two sentences contradict each other? "The shop is open." "The shop is closed."',
    "If all birds can fly, is it true that penguins can fly?",
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
    "Premissa: Um homem dorme. Hipótese: Um homem está acordado.",
    '"Todos passaram" implica "Ninguém reprovou"?',
    'Estas frases se contradizem? "Está aberto." e "Está fechado."',
    "Se é feriado, então é verdade que os bancos estão fechados?",
)

NLI_CUES = (
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
)

CYBERBULLYING_EXAMPLES = (
    'Is this bullying? "Nobody likes you, just leave."',
    "is this cyberbullying: go back to your country",
    'Someone commented "women belong in the kitchen" on my video, is that harassment?',
    "Check this tweet for bullying: @sam ur such a loser lol",
    "Would this comment be flagged as abusive? “Your whole family is stupid.”",
    'What kind of bullying is this? "ok boomer, go back to your retirement home"',
    "You're so dumb it hurts. - bullying or just a joke?",
    "Does this post contain hate speech?\n\nAll of them are terrorists.",
    "toxic or not? lol you suck at this game",
    "My classmate sent me this: nobody wants you here. is it bullying?",
    "Is this message offensive to anyone? 'Ladies, learn to drive.'",
    'I\'m moderating a forum. Should I remove this for harassment? "get a life, loser"',
    'Is the following text racist or sexist? "They all look the same to me."',
    'is this an insult? "you have a face for radio"',
    'Are they being mean to me? "haha nice shoes, were they free?"',
    "Detect abusive language: shut up, idiot",
    "Is this hurtful or rude? 'your cooking is disgusting'",
    "Is anyone being bullied in this conversation?\nA: look at her hair\nB: lol like a broom",
    "is this threatening: answer me or you'll regret it",
    "moderation check: he is too old to be here",
    'Should I report this as bullying? "everyone is laughing at you"',
    'Isso é bullying? "Ninguém gosta de você."',
    "Este comentário é ofensivo: cala a boca, velha",
    'Há assédio nesta mensagem? "Vou contar para todos."',
)

CYBERBULLYING_CUES = (
    "bullying",
    "bully",
    "bullies",
    "bullied",
    "cyberbullying",
    "cyber bullying",
    "cyber-bullying",
    "harass",
    "harassment",
    "harassing",
    "abuse",
    "abusive",
    "toxic",
    "offensive",
    "offended",
    "hateful",
    "hate speech",
    "insult",
    "insulting",
    "racist",
    "racism",
    "sexist",
    "sexism",
    "ageist",
    "mean to",
    "being mean",
    "is this mean",
    "too mean",
    "rude",
    "nasty",
    "hurtful",
    "cruel",
    "moderate",
    "discrimination",
    "discriminatory",
    "misogynist",
    "misogynistic",
    "xenophobic",
    "homophobic",
    "slur",
    "disrespectful",
    "inappropriate",
    "mean-spirited",
    "threatening",
    "threat",
    "mobbing",
    "flagged",
    "flag",
    "moderation",
    "moderating",
    "moderator",
    "teasing",
    "ofensivo",
    "ofensiva",
    "assédio",
    "insulto",
    "racista",
    "machista",
    "tóxico",
    "ciberbullying",
    "discurso de ódio",
    "ameaça",
)


class _Silent(Application):
    description: ClassVar[str] = ""
    task: ClassVar[Task] = "text-classification"

    def answer(self, request: Request, engine: Engine) -> Iterator[ReplyPart]:
        yield from ()


class Sentiment(_Silent):
    id = "sentiment"
    title = "Sentiment"
    examples = SENTIMENT_EXAMPLES
    cues = SENTIMENT_CUES


class Nli(_Silent):
    id = "nli"
    title = "Inference"
    fields = ("premise", "hypothesis")
    examples = NLI_EXAMPLES
    cues = NLI_CUES


class Cyberbullying(_Silent):
    id = "cyberbullying"
    title = "Cyberbullying"
    examples = CYBERBULLYING_EXAMPLES
    cues = CYBERBULLYING_CUES


class Answers(_Silent):
    id = "answers"
    title = "Answers"
    fields = ("context", "question")
    examples = ("Context: It is red. Question: What colour is it?", "Who signed it?")
    cues = ("according to",)


class Choices(_Silent):
    id = "choices"
    title = "Choices"
    fields = ("question", "choices")
    examples = ("Where do fish live? A) water B) trees",)


class Summary(_Silent):
    id = "summary"
    title = "Summary"
    examples = (
        "Summarize this text: The council met.",
        "tl;dr The report is long.",
        "Summarise the document in short",
    )
    cues = ("summarize", "summarise", "summary", "tl;dr", "key points", "resuma")


class Mistakes(_Silent):
    id = "mistakes"
    title = "Mistakes"
    examples = (
        "Check this for mistakes: he go home",
        "Is the grammar right? 'She are here.'",
        "Correct my spelling: teh",
    )
    cues = ("mistakes", "grammar", "spelling", "correct", "errors", "proofread", "corrija")


BUILT_IN = {each.id: each for each in (Sentiment(), Nli(), Cyberbullying())}
