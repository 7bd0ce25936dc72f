"""Summarization: the sentences of a text that say most of it, as they stand in the text.

Extractive: nothing is put into other words, so nothing can be made up. The adapter scores each sentence by how likely
it belongs in a summary (`Engine.rank`), `selection` takes the best that do not repeat each other, `lengths` says how
many. A base that writes says it in other words instead (`writing`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import assistant_prompts

from assistant import (
    Application,
    InputError,
    Notice,
    ReplyPart,
    Request,
    Table,
    Text,
    hookimpl,
    split_sentences,
)
from assistant.prompts import load_prompt

from .lengths import Length, asks_why, wanted
from .selection import choose, count_words
from .source import citations, highlighted, joined, messages_about, plain
from .writing import most_tokens, said_length, written

if TYPE_CHECKING:
    from assistant.engine.base import Engine

PROMPTS = Path(assistant_prompts.__path__[0])
# Characters, about 800 sentences: what two cores read well within the time that an answer may take.
MAX_READ = 100_000
# The prompt of a base that writes.
WRITTEN = PROMPTS / "summarization" / "written"


class Summarization(Application):
    """Shortens a text, or attached documents, to their most important sentences."""

    id = "summarization"
    title = "Summary"
    description = "Shortens a text or a document to its most important sentences."
    task = "summarization"
    fields = ("text",)
    adapter: ClassVar[Path] = Path(__file__).parent / "adapter"
    prompts = PROMPTS / "summarization"
    examples = (
        "Summarize this text: The council met on Monday. It voted for the new bridge. Work starts in May.",
        "tl;dr\nI started the course in June. The first weeks were hard. Now I can hold a conversation.",
        "Can you sum this up in two sentences? The storm hit at night. Roofs were torn off. Nobody was hurt.",
        "Summarise the attached document.",
        "Give me the key points of this article:\nThe company will close its oldest plant. 300 people lose their jobs.",
        "What is this text mainly about, in one sentence? Bees find food by smell. They tell others by dancing.",
        'Shorten "The shop opened in 1950. It was sold twice. It closed last week." to the essentials',
        "Make a summary of the following report in 100 words:\nSales rose in spring. Costs rose faster.",
        "I don't have time to read all this, what are the main points?\nHi all, we meet on Friday. Bring your laptop.",
        "Condense this to 20%: The novel begins in Lisbon. A clerk finds a letter. He leaves his job and his wife.",
        "Please boil this down to the most important sentences.\nThe trial had 400 patients. Half got the drug.",
        "summary pls: Our flight was cancelled. We waited nine hours. They gave us a voucher for ten euros.",
        "give me the gist of this email\nDear team, the budget has been approved. We can hire two people.",
        "Write an abstract of this paper: We study sleep in bees. We filmed 20 hives. Older bees sleep at night.",
        "Could you recap what was said in the meeting? Ana wants to wait. Tom wants to buy now. They vote on Friday.",
        "make it shorter: The fair was a success. Ten thousand people came. Next year it will last three days.",
        "In short, what happened here? Police were called at two. A car had hit a lamp post. The driver had run off.",
        "Give me a brief overview of the attached file",
        "Can you say that in fewer words? The bus was late. We missed the ferry. We spent the night in the port.",
        "cut this to half its length: The school needs a new roof. The council has no money. Parents are collecting.",
        "Reduce the following to 40 words.\n\nThe lake is warm. Algae are growing. Swimming is forbidden until Friday.",
        "make this text less wordy\nI am writing to let you know that we will be late. The car broke down. Go on.",
        "Trim it down, please: Ten teams took part. Two were sent off. The final was played in the rain.",
        "What does this long email say, briefly?\nDear all, the lift is broken. It will be repaired on Monday.",
        "in two lines: The author was born in Porto. She studied law. She wrote her first novel on trains.",
        "boil this down: The test took three weeks. Half of the lamps failed. The maker blames the heat.",
        "“The vote was close. Two members abstained. It will be held again.” - the short version please",
        "too long, just the most important bits: We walked all day. Tom fell. A farmer drove us to the hospital.",
        "What are the three main takeaways from this?\nPrices fell. Wages rose. People spend more on travel.",
        "Give me a one-paragraph summary of this report: Traffic has doubled. Noise is worse. A bypass is planned.",
        "The mill closed in 1990. It burnt down in 2001. Now there are flats.\n\nshorten by a third",
        "Encurta este texto para metade: O barco partiu tarde. O mar estava bravo. Chegámos de noite.",
        "Diz isto em menos palavras: O comboio atrasou-se. Perdemos a ligação. Dormimos na estação.",
        "Resuma este texto: A câmara aprovou o orçamento. As obras começam em maio. O custo é de dois milhões.",
        "Faça um resumo em duas frases:\nO museu reabriu ontem. Vieram mil pessoas. A entrada é gratuita.",
        "Quais são os pontos principais deste artigo? O rio subiu três metros. A estrada foi cortada.",
        "Resumo curto, por favor: O voo foi cancelado. Esperámos nove horas. Deram-nos um vale.",
        "Pode resumir o documento anexo?",
    )
    cues = (
        "summarize",
        "summarise",
        "summarized",
        "summarised",
        "summarizing",
        "summarization",
        "summary",
        "summaries",
        "sum up",
        "sum this up",
        "sum it up",
        "tldr",
        "tl;dr",
        "shorten",
        "shorter",
        "shorter version",
        "short version",
        "condense",
        "condensed",
        "abridge",
        "digest",
        "gist",
        "recap",
        "overview",
        "abstract",
        "synopsis",
        "outline",
        "boil down",
        "boil this down",
        "key points",
        "main points",
        "main ideas",
        "main idea",
        "important points",
        "important sentences",
        "key sentences",
        "takeaways",
        "highlights",
        "essentials",
        "in short",
        "in a nutshell",
        "mainly about",
        "in one sentence",
        "resuma",
        "resume",
        "resumir",
        "resumo",
        "resumida",
        "resumidamente",
        "sintetize",
        "síntese",
        "encurte",
        "pontos principais",
        "ideias principais",
        "em poucas palavras",
        "em uma frase",
        "numa frase",
        "fewer words",
        "less wordy",
        "reduce",
        "cut down",
        "cut this down",
        "cut this to",
        "cut it to",
        "trim",
        "boil it down",
        "half the length",
        "to half",
        "by half",
        "wordy",
        "takeaway",
        "main message",
        "brief summary",
        "briefly",
        "too long",
        "bullet points",
        "encurta",
        "encurtar",
        "reduzir",
        "reduza",
        "reduz",
        "para metade",
        "menos palavras",
        "sintetiza",
    )
    wording: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "en": {
            "no_text": "The summary needs a text; the message holds none. Paste one or attach a document.",
            "one": "I found only one sentence, so there is nothing to leave out.",
            "two": "There are only two sentences; that is a summary already.",
            "all": "The text has only {total} sentences, so there is nothing to leave out.",
            "kept": "Kept {kept} of {total} sentences, {share} % of the words.",
            "shortest": "This is as short as I can: I leave sentences out, but I do not rewrite them.",
            "read": "The text is long: I read its first {read} of {length} characters.",
            "why": (
                "I scored each of the {total} sentences for how likely it belongs in a summary, and took the best "
                "that do not repeat each other. These were chosen:"
            ),
            "sentence": "Sentence",
            "belongs": "Belongs in the summary",
            "one_sentence": "one sentence",
            "at_most_sentences": "at most {amount} sentences",
            "at_most_words": "at most {amount} words",
            "written": "In the base model's own words, {share} % as many as the text has; it may be wrong.",
            "long": "The summary was cut at {count} tokens.",
            "silent": "The model has nothing to say about this.",
            "why_written": "The base model wrote the summary in its own words and gives no reasons.",
        },
        "pt": {
            "no_text": "O resumo precisa de um texto, e a mensagem não tem nenhum. Cole um ou anexe um documento.",
            "one": "Encontrei só uma frase, por isso não há nada a deixar de fora.",
            "two": "São só duas frases; isso já é um resumo.",
            "all": "O texto tem só {total} frases, por isso não há nada a deixar de fora.",
            "kept": "Mantive {kept} de {total} frases, {share} % das palavras.",
            "shortest": "Mais curto não consigo: deixo frases de fora, mas não as reescrevo.",
            "read": "O texto é longo: li os primeiros {read} de {length} caracteres.",
            "why": (
                "Avaliei, em cada uma das {total} frases, a probabilidade de pertencer ao resumo, e fiquei com as "
                "melhores que não se repetem. Estas foram as escolhidas:"
            ),
            "sentence": "Frase",
            "belongs": "Pertence ao resumo",
            "one_sentence": "uma frase",
            "at_most_sentences": "no máximo {amount} frases",
            "at_most_words": "no máximo {amount} palavras",
            "written": "Nas palavras do modelo base, {share} % das que o texto tem; pode estar errado.",
            "long": "O resumo foi cortado em {count} tokens.",
            "silent": "O modelo não tem nada a dizer sobre isto.",
            "why_written": "O modelo base escreveu o resumo em suas próprias palavras e não dá razões.",
        },
    }

    def answer(self, request: Request, engine: Engine) -> Iterator[ReplyPart]:
        """The summary, how much of the text it is, and where its sentences stand.

        A span's weight is the probability that the sentence belongs in the summary, the logistic of its score. There
        is no confidence in the whole: a summary is no yes or no that could turn out right.
        """
        said = self.wording.get(request.language, self.wording["en"])
        text = request.payload.text(self.fields[0]).strip() if request.payload else ""
        text = text or joined(request.documents)
        sentences = split_sentences(text[:MAX_READ])
        if not sentences:
            raise InputError(said["no_text"])
        if len(sentences) < 3:
            yield Text(said["two" if len(sentences) == 2 else "one"])
            return
        texts = [plain(text[start:end]) for start, end in sentences]
        words = sum(map(count_words, texts))
        steps = messages_about(text, request, self.id)
        length = wanted(steps, len(sentences), words)
        if length.amount >= (words if length.unit == "words" else len(sentences)):
            yield Text(said["all"].format(total=len(sentences)))
            return
        if "generate" in engine.operations:
            yield from self.written(text, length, request, engine, asks_why(*steps[-1]))
            return
        (scores,) = engine.rank([texts], self.adapter)
        chosen = choose(texts, scores, length)
        weights = {i: _logistic(scores[i]) for i in chosen}
        if asks_why(*steps[-1]):
            yield Text(said["why"].format(total=len(sentences)))
            yield Table(
                (said["sentence"], said["belongs"]),
                tuple((texts[i], f"{100 * weights[i]:.0f} %") for i in chosen),
            )
        else:
            yield Text(" ".join(texts[i] for i in chosen), copyable=True)
            share = 100 * sum(count_words(texts[i]) for i in chosen) / words
            shown = "< 1" if share < 1 else f"{share:.0f}"
            yield Text(said["kept"].format(kept=len(chosen), total=len(sentences), share=shown))
            if len(chosen) == 1 and steps[-1][1].get("length") == "shorter":
                yield Notice(said["shortest"], "length")
        if len(text) > MAX_READ:
            yield Notice(said["read"].format(read=MAX_READ, length=len(text)), "length")
        yield highlighted(text, sentences, weights, self.fields[0])
        yield from citations(request, text, [sentences[i] for i in chosen])

    def written(
        self, text: str, length: Length, request: Request, engine: Engine, why: bool
    ) -> Iterator[ReplyPart]:
        """The growing summary in the base's own words, then the whole one; a notice where the text was cut."""
        said = self.wording.get(request.language, self.wording["en"])
        if why:
            yield Text(said["why_written"])
            return
        prompt = load_prompt(WRITTEN, request.language)
        # In the prompt's language, which may be another than the reply's.
        fields = {"text": text[:MAX_READ], "length": said_length(length, self.wording[prompt.language])}
        most = most_tokens(length)
        asked = engine.rendered(prompt, fields, most)
        summary, count = "", 0
        for summary in written(asked, length, engine, most):
            count += 1
            yield Text(summary, growing=True)
        if not summary:
            yield Text(said["silent"])
            return
        yield Text(summary, copyable=True)
        share = 100 * count_words(summary) / count_words(text)
        yield Text(said["written"].format(share="< 1" if share < 1 else f"{share:.0f}"))
        if count >= most:
            yield Notice(said["long"].format(count=most), "length")
        if (read := len(asked.fields["text"])) < len(text):
            yield Notice(said["read"].format(read=read, length=len(text)), "length")


def _logistic(score: float) -> float:
    # By way of tanh, which does not overflow.
    return 0.5 * (1 + math.tanh(score / 2))


@hookimpl
def register_applications() -> list[Summarization]:
    """The one application."""
    return [Summarization()]
