"""Question answering: finds the answer in a passage or in attached documents, and says where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import assistant_prompts
from assistant_plugins.question_answering.index import Indexes
from assistant_plugins.question_answering.passages import sentence_around
from assistant_plugins.question_answering.reading import Answer, combined

from assistant import (
    Application,
    Citation,
    InputError,
    Labels,
    LabelScore,
    ReplyPart,
    Request,
    Span,
    Spans,
    Text,
    hookimpl,
)

if TYPE_CHECKING:
    from assistant.engine.base import Engine

PROMPTS = Path(assistant_prompts.__path__[0])
# Of the indexes of the latest texts. A book of three hundred pages takes about four million.
INDEX_BYTES = 64_000_000
# So many answers are shown.
SHOWN = 4
# What is less likely is a scrap, as is what holds no word.
LEAST = 0.01


@dataclass(frozen=True)
class Source:
    """A page to read, and the document that it is from; a pasted text has one page and no document."""

    text: str
    document: str | None = None
    page: int = 1


class QuestionAnswering(Application):
    """Answers a question with words of the text, or says that the text does not answer it."""

    id = "question-answering"
    title = "Question answering"
    description = (
        "Finds the answer to a question in a text or in attached documents, and shows where it stands."
    )
    task = "question-answering"
    fields = ("question", "context")
    adapter: ClassVar[Path | None] = Path(__file__).parent / "adapter"
    prompts = PROMPTS / "question_answering"
    examples = (
        "Context: The Amazon is home to about 390 billion trees. Question: How many trees are there in the Amazon?",
        "Read this text: After the war, Clara Jensen wrote a letter to the mayor, but he never answered it. "
        "Who wrote the letter?",
        'According to this text, why was the match called off? "The referee called the match off at half-time '
        'because lightning had struck close to the pitch."',
        "The recipe says to bake the loaf for 35 minutes at 220 degrees and to let it rest for an hour. "
        "How long does it have to rest?",
        "What does the attached contract say about the notice period?",
        "In the document, who has to pay for the repairs?",
        "How much is the budget for 2024, according to the report I attached?",
        "Find the answer in the passage.\nPassage: Penicillin was discovered by Alexander Fleming in 1928.\n"
        "Question: Who discovered penicillin?",
        "Where did Marie grow up? Marie was born in Lyon, but her parents soon moved to Geneva, where she grew up.",
        "here is my insurance letter, what is the deadline for a claim? Claims have to be sent in within 30 days of "
        "the accident.",
        "what's the wifi password?? Welcome to the flat! The wifi is called Seaside and the password is heron42.",
        "the trip was cancelled because the bus broke down. why was the trip cancelled",
        "Can you find the answer in this text?\n\nWhat does it mean if the lamp blinks?\n\nA blinking lamp means that "
        "the battery is nearly empty.",
        "Marta lives on the third floor. Her brother moved to Oslo in 2015. where does her brother live",
        "Here is a message from my landlord:\n\nThe plumber comes on Friday at nine. Please be at home.\n\n"
        "When does the plumber come?",
        "Use the text below to answer: Why did the tree fall?\n\nThe tree fell because its roots were rotten.",
        "Can you look up in this article who won the prize? “The prize went to Ines Rocha for her second novel.”",
        "```\nVersion 3 was released on 5 June. It needs Java 17.\n```\nwhich java version is needed",
        "Based on the paragraph, how do ants find their way? Ants follow a trail of scent left by others.",
        "Is the castle open on Mondays? The castle opens daily except Mondays, from ten to five.",
        "the concert was moved to the town hall because of the rain. where is the concert now",
        "Quem fundou a empresa? A empresa foi fundada em 1987 por dois irmãos, Rui e Tomás Faria, em Braga.",
        "Segundo o texto, quando abre o museu? O museu abre de terça a domingo, das 10 às 18 horas.",
        "Contexto: O rio Tejo nasce na Serra de Albarracín, em Espanha. Pergunta: Onde nasce o Tejo?",
        "Qual é o prazo de entrega que está no documento anexo?",
    )
    cues = (
        "answer the question",
        "answer this question",
        "answer from the text",
        "find the answer",
        "according to",
        "according to the text",
        "based on the text",
        "based on the passage",
        "based on the article",
        "in the text",
        "in the document",
        "in the attached",
        "does the text say",
        "does the document say",
        "what does it say about",
        "say about",
        "context",
        "passage",
        "pergunta",
        "responda",
        "resposta",
        "contexto",
        "segundo o texto",
        "de acordo com o texto",
        "no texto",
        "no documento",
        "o que diz",
        "quem",
        "quando",
        "onde",
        "quantos",
        "quantas",
        "quanto custa",
        "em que",
    )
    sentences: ClassVar = {
        "en": {
            "answer": "According to {source}: {answer}.",
            "none": "The text does not say.",
            "unsure": "I am not sure. My best guess from {source} is “{answer}”.",
            "unsure_none": "I am not sure. Most likely the text does not say; my best guess is “{answer}”.",
            "page": "“{document}”, page {page}",
            "text": "the text",
            "paragraph": "paragraph {number} of the text",
            "label": "answer",
            "reading": "Reading the text …",
            "nothing": "not in the text",
            "no_question": "I need a question about the text; the message holds none.",
            "no_text": "I need a text to find the answer in: paste it with the question, or attach a file.",
        },
        "pt": {
            "answer": "Segundo {source}: {answer}.",
            "none": "O texto não diz.",
            "unsure": "Não tenho certeza. Meu melhor palpite, segundo {source}, é “{answer}”.",
            "unsure_none": (
                "Não tenho certeza. O mais provável é que o texto não diga; meu melhor palpite é “{answer}”."
            ),
            "page": "“{document}”, página {page}",
            "text": "o texto",
            "paragraph": "o parágrafo {number} do texto",
            "label": "resposta",
            "reading": "Lendo o texto …",
            "nothing": "não está no texto",
            "no_question": "Preciso de uma pergunta sobre o texto; a mensagem não tem nenhuma.",
            "no_text": "Preciso de um texto onde procurar a resposta: cole-o com a pergunta ou anexe um arquivo.",
        },
    }

    def __init__(self) -> None:
        self.indexes = Indexes(INDEX_BYTES)

    def answer(self, request: Request, engine: Engine) -> Iterator[ReplyPart]:
        """Say the answer, show what else it may be, then the place where it stands."""
        say = self.sentences.get(request.language, self.sentences["en"])
        question, sources = self.read(request, say)
        if self.adapter is None:
            raise InputError(f"{self.title} has no adapter for this base.")
        threshold = engine.adapter(self.adapter).threshold
        pages = [source.text for source in sources]
        index = yield from self.indexes.get(pages, engine, say["reading"])
        passages = index.nearest(question, pages, engine)
        found = engine.extract([(question, passage.text(pages)) for passage in passages], self.adapter)
        spans, nothing = combined(zip(passages, found, strict=True), pages)
        answers = [span for span in spans if span.probability >= LEAST and any(map(str.isalnum, span.text))]
        scores = [LabelScore(answer.text, answer.probability) for answer in answers[:SHOWN]]
        scores.append(LabelScore(say["nothing"], nothing))
        labels = Labels(tuple(sorted(scores, key=lambda score: -score.probability)), threshold)
        likely = bool(answers) and answers[0].probability >= nothing
        if not answers or not (likely or labels.unsure):
            yield Text(say["none"])
            yield labels
            return
        best = answers[0]
        source = sources[best.passage.page]
        kind = ("unsure" if likely else "unsure_none") if labels.unsure else "answer"
        told = best.text.rstrip(".") or best.text
        yield Text(say[kind].format(source=_name(source, best, say), answer=told))
        yield labels
        yield _highlighted(source, best, say)
        if source.document is not None:
            start, end = sentence_around(source.text, best.start, best.end)
            yield Citation(source.document, source.page, " ".join(source.text[start:end].split()))

    def read(self, request: Request, say: dict[str, str]) -> tuple[str, list[Source]]:
        """The question and the pages to read. Raises InputError when one of them is missing."""
        question = request.payload.text("question").strip() if request.payload else ""
        context = request.payload.text("context").strip() if request.payload else ""
        if not question:
            raise InputError(say["no_question"])
        # The attached documents come as the context, all in one text; where they do, their pages are known. A text
        # that was pasted beside them is what the question is about.
        attached = "\n\n".join(document.text for document in request.documents).strip()
        if request.documents and context in ("", attached):
            sources = [
                Source(text, document.name, number)
                for document in request.documents
                for number, text in enumerate(document.pages, 1)
            ]
        else:
            sources = [Source(context)]
        if not any(source.text.strip() for source in sources):
            raise InputError(say["no_text"])
        return question, sources


def _name(source: Source, answer: Answer, say: dict[str, str]) -> str:
    """What to call the place of an answer: the document's page, or the paragraph of a text that has several."""
    if source.document is not None:
        return say["page"].format(document=source.document, page=source.page)
    paragraphs = [paragraph for paragraph in source.text.split("\n\n") if paragraph.strip()]
    if len(paragraphs) < 2:
        return say["text"]
    before = [paragraph for paragraph in source.text[: answer.end].split("\n\n") if paragraph.strip()]
    return say["paragraph"].format(number=len(before))


def _highlighted(source: Source, answer: Answer, say: dict[str, str]) -> Spans:
    """The answer within its passage."""
    passage = answer.passage
    span = Span(answer.start - passage.start, answer.end - passage.start, say["label"], answer.probability)
    return Spans(source.text[passage.start : passage.end], (span,), title="context")


@hookimpl
def register_applications() -> list[Application]:
    """The one application."""
    return [QuestionAnswering()]
