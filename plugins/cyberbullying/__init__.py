"""Cyberbullying: none, or which kind; and a quiet notice under whatever else is answered about abusive text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import assistant_prompts

from assistant import Notice, Reply, Request, TextClassification, hookimpl

if TYPE_CHECKING:
    from assistant.engine.base import Engine

PROMPTS = Path(assistant_prompts.__path__[0])
# What reads along under other applications' replies: distilled from the application's own adapter, and takes less than
# half its time.
STUDENT = Path(__file__).parent / "student" / "adapter"
NOT_BULLYING = "not_cyberbullying"
# A notice that nobody asked for has to be right: from this calibrated probability on.
NOTICE_FROM = 0.9
NOTICES = {
    "en": "A note: the text looks abusive ({kind}).",
    "pt": "Nota: o texto parece ofensivo ({kind}).",
}
KINDS = {
    "en": {
        "age": "about age",
        "ethnicity": "about ethnicity",
        "gender": "about gender or sex",
        "religion": "about religion",
        "other_cyberbullying": "an insult",
    },
    "pt": {
        "age": "sobre idade",
        "ethnicity": "sobre etnia",
        "gender": "sobre gênero ou sexo",
        "religion": "sobre religião",
        "other_cyberbullying": "um insulto",
    },
}


class Cyberbullying(TextClassification):
    """Says whether a message is bullying, and of which kind: age, ethnicity, gender, religion or other."""

    id = "cyberbullying"
    title = "Cyberbullying"
    description = (
        "Says whether a message is bullying, and of which kind: age, ethnicity, gender, religion or other."
    )
    adapter = Path(__file__).parent / "adapter"
    prompts = PROMPTS / "cyberbullying"
    examples = (
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
        "someone keeps texting me “we know where you live”, is that harassment?",
        "Is this too mean to post? Congrats on your new haircut, did the dog do it?",
        "bullying or just a joke: you dance like a broken washing machine",
        "go back to the kitchen. - sexist?",
        "A parent showed me this chat, is a child being bullied here?\n\nTim: nobody sits with you\nLea: go away then",
        "What type of harassment is “you people are all thieves”?",
        "Is it ageist to write “too old to understand a phone”?",
        "Please check if this comment breaks our rules against abuse: learn to read, moron",
        "is it okay to say this to a classmate? your clothes look like they are from the bin",
        "Can this be called bullying? 'We voted you out of the group.'",
        "flag it if it's hateful: they should all be sent home",
        'Isso é bullying? "Ninguém gosta de você."',
        "Este comentário é ofensivo: cala a boca, velha",
        'Há assédio nesta mensagem? "Vou contar para todos."',
    )
    cues = (
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
        "hate",
        "hurt someone",
        "sexual harassment",
        "gozar",
        "agressivo",
        "agressiva",
    )
    sentences: ClassVar = {
        "en": {
            "not_cyberbullying": "This does not look like bullying.",
            "age": "This looks like bullying about age.",
            "ethnicity": "This looks like bullying about ethnicity.",
            "gender": "This looks like bullying about gender or sex.",
            "religion": "This looks like bullying about religion.",
            "other_cyberbullying": "This looks like bullying.",
        },
        "pt": {
            "not_cyberbullying": "Isto não parece bullying.",
            "age": "Isto parece bullying sobre idade.",
            "ethnicity": "Isto parece bullying sobre etnia.",
            "gender": "Isto parece bullying sobre gênero ou sexo.",
            "religion": "Isto parece bullying sobre religião.",
            "other_cyberbullying": "Isto parece bullying.",
        },
    }


@hookimpl
def register_applications() -> list[TextClassification]:
    """The one application."""
    return [Cyberbullying()]


@hookimpl
def review_message(request: Request, reply: Reply, engine: Engine) -> Notice | None:
    """A quiet word under a reply of another application whose text is abusive beyond doubt."""
    if reply.route.application == Cyberbullying.id or "classify" not in engine.operations:
        return None
    text = "\n".join(map(reply.payload.text, reply.payload.fields)) if reply.payload else request.message
    (result,) = engine.classify([text], STUDENT)
    if result.label == NOT_BULLYING or max(result.probabilities) < NOTICE_FROM:
        return None
    said = NOTICES.get(request.language, NOTICES["en"])
    return Notice(
        said.format(kind=KINDS.get(request.language, KINDS["en"])[result.label]), kind=Cyberbullying.id
    )
