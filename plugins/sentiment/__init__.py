"""Sentiment: negative, neutral or positive.

Three classes, because what people paste is often a plain statement; the adapter learned the neutral class from
tweets, and reviews are answered as positive or negative.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import assistant_prompts

from assistant import ReplyPart, Request, Table, TextClassification, hookimpl, split_sentences

if TYPE_CHECKING:
    from assistant.engine.base import Engine

PROMPTS = Path(assistant_prompts.__path__[0])
# From so many sentences on, each is also answered by itself; beyond the second number no more are.
SENTENCES = 3, 100


class Sentiment(TextClassification):
    """Says whether a text sounds positive, negative or neutral."""

    id = "sentiment"
    title = "Sentiment"
    description = "Says whether a text sounds positive, negative or neutral."
    adapter = Path(__file__).parent / "adapter"
    prompts = PROMPTS / "sentiment"
    examples = (
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
        "Please tell me whether the following comment sounds happy or unhappy.\n\nWe waited an hour for cold soup.",
        'My boss wrote "let\'s talk about it on Monday" - is he pleased?',
        'Would you call this praise or criticism? "For a first novel it is fine."',
        "Analyse the tone of this message: fine, whatever you say",
        "Does this person sound excited or annoyed? 'I want my money back'",
        'What is the polarity of the sentence "It does what it says"?',
        'what does the reviewer think of it, did they enjoy it?\n"A warm, funny film."',
        'Is the author satisfied or disappointed? "I expected more from this brand."',
        'what feeling does this convey: "another Monday, another meeting"',
        'Is that a favourable opinion? "Not my cup of tea."',
        "The food came cold and nobody apologised. Does the guest sound happy?",
        "We will surely come back next summer!\n\nis this a positive statement?",
        'Here is what a customer wrote about us, good or bad? "Friendly people, shame about the noise."',
        "I can't tell if this is praise or a complaint: you certainly have a style of your own",
        "Positive, negative or neutral?\nThe shop opens at nine.",
        "how does the author feel about the trip: long queues, but what a view",
        "Would you say that “I have had worse” is negative?",
        "does this comment sound angry? I have been waiting for a refund since May",
        "did the audience enjoy the show? “People were laughing long after the curtain fell.”",
        "Say whether this tweet is negative: third cancelled train this week, great job",
        "what emotion is in this message? I miss our evenings on the balcony",
        "thumbs up or down for this one: cheap, loud and wonderful",
        'Esta avaliação é positiva ou negativa? "A comida estava ótima."',
        "Qual é o sentimento deste comentário: detestei o serviço",
        'O cliente gostou? "Chegou rápido e funciona bem."',
    )
    cues = (
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
        "satisfeita",
        "opinião",
        "complaint",
        "complaining",
        "sarcastic or sincere",
        "sounds negative",
        "sound negative",
        "sounds positive",
        "sound happy",
        "content or not",
        "contente",
        "feliz",
        "triste",
        "zangado",
        "elogio",
    )
    sentences: ClassVar = {
        "en": {
            "positive": "This sounds positive.",
            "neutral": "This sounds neutral: neither praise nor complaint.",
            "negative": "This sounds negative.",
        },
        "pt": {
            "positive": "Isto soa positivo.",
            "neutral": "Isto soa neutro: nem elogio nem queixa.",
            "negative": "Isto soa negativo.",
        },
    }
    columns: ClassVar[dict[str, tuple[str, str, str]]] = {
        "en": ("Sentence", "Sentiment", "Probability"),
        "pt": ("Frase", "Sentimento", "Probabilidade"),
    }

    def answer(self, request: Request, engine: "Engine") -> Iterator[ReplyPart]:
        """The whole text's sentiment, and that of each sentence of a longer one."""
        yield from super().answer(request, engine)
        (text,) = self.read(request)
        sentences = [text[start:end] for start, end in split_sentences(text)][: SENTENCES[1]]
        if len(sentences) >= SENTENCES[0]:
            results = engine.classify(sentences, self.adapter)
            yield Table(
                self.columns.get(request.language, self.columns["en"]),
                tuple(
                    (" ".join(sentence.split()), result.label, f"{100 * max(result.probabilities):.0f} %")
                    for sentence, result in zip(sentences, results, strict=True)
                ),
            )


@hookimpl
def register_applications() -> list[TextClassification]:
    """The one application."""
    return [Sentiment()]
