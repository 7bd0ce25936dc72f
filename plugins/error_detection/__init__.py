"""Error detection: finds mistakes of spelling, grammar, punctuation and word choice, and puts them right."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import assistant_prompts
from assistant_plugins.acceptability import Acceptability
from assistant_plugins.error_detection.corrections import corrections
from assistant_plugins.error_detection.edits import Edit, applied, combined, shifted
from assistant_plugins.error_detection.writing import differences, rewritten

from assistant import (
    Application,
    InputError,
    Progress,
    ReplyPart,
    Request,
    Span,
    Spans,
    Table,
    Text,
    hookimpl,
    split_sentences,
)
from assistant.prompts import load_prompt

if TYPE_CHECKING:
    from assistant.engine.base import Engine

PROMPTS = Path(assistant_prompts.__path__[0])
# A correction may make the next one possible; GECToR gains little after the second round.
ROUNDS = 2
# So many sentences are read between two signs of progress.
SENTENCES_AT_ONCE = 32
# So many sentences are judged as a whole beside what is found in them.
JUDGED = 100


class ErrorDetection(Application):
    """Finds mistakes in an English text and proposes what to write instead."""

    id = "error-detection"
    title = "Error detection"
    description = (
        "Finds mistakes of spelling, grammar, punctuation and word choice in English, and corrects them."
    )
    task = "token-classification"
    fields = ("text",)
    adapter = Path(__file__).parent / "adapter"
    prompts = PROMPTS / "error_detection"
    examples = (
        'Is this acceptable English: "Where did you went?"',
        "Correct this: She don't like apples.",
        "Are there any mistakes in this sentence? I has went to the store yesterday.",
        "check my grammar: he go to school every days",
        "Please proofread: Their are many reason to learn a new languages.",
        "fix the spelling in “I recieved you're mesage and will definately come”",
        "Find the errors in this text.\nThe informations was very useful, but it's layout are confusing.",
        "Is this sentence correct? If I would have time, I will visit you.",
        "can you spell check this for me: Tommorow we wil meet at the libary",
        "What is wrong with “I look forward to meet you”?",
        "Proofread my email: Dear Sir, I am write to you because of the job you has advertised.",
        "is it right to say “more better”?",
        "I wrote this for class, please correct the mistakes: Last summer we was in Italy and eat a lot of pizza.",
        "Check for typos: Plese find atached the reprot for Septmber.",
        "Grammar check\n\nThe man which lives next door are a doctor.",
        "correct my english: i am interesting in this job since three years",
        "Did I make any mistakes here? We discussed about the plan on Monday.",
        "Should it be “its” or “it's” in “The dog lost its ball”? Check the sentence.",
        "Does this have punctuation errors? However we were late so we took a taxi",
        "Mark the errors: One of my friend live in the Berlin.",
        "have I spelled everything right here?\nThank you for you're kind invitaton.",
        "is this right? She have been waiting since an hour.",
        "Does this sound right to you: I am living here since 2010",
        "How do I say this correctly? He explained me the rules.",
        "“He suggested me to go” - would a native speaker say that?",
        "did I write this correctly? The childrens is playing in the garden",
        "Is there anything wrong with this sentence: She is married with a doctor",
        "Which words are misspelled here? The goverment anounced a new buget.",
        "did i spell everything right\nWe are looking foward to your vist.",
        "Here is my essay, look for grammar mistakes please.\n\nMy town is small but is very beautiful. I lives there.",
        "is the grammar ok? Yesterday I go to the cinema with my friend.",
        "Are the commas right? After lunch we slept and then, we went home.",
        "Make this correct English: I have 20 years and I like very much to dance",
        "look over my text for mistakes: Thanks you for the informations",
        "“It depends of the weather”, right or wrong?",
        "The manager have approved it. Is this proper English?",
        "Corrija o texto: She have two brother.",
        "Esta frase em inglês está certa? I am agree with you.",
        "Verifique a ortografia: I beleive we can acheive it.",
    )
    cues = (
        "correct",
        "correct this",
        "correct my",
        "corrections",
        "correction",
        "proofread",
        "proof read",
        "proofreading",
        "grammar",
        "grammatical",
        "grammatically",
        "spelling",
        "spell check",
        "spellcheck",
        "spelt",
        "spelled",
        "misspelled",
        "typo",
        "typos",
        "mistake",
        "mistakes",
        "error",
        "errors",
        "punctuation",
        "fix this sentence",
        "fix the grammar",
        "fix my english",
        "is this sentence correct",
        "is this correct english",
        "wrong with this sentence",
        "right to say",
        "check my english",
        "check for errors",
        "corrija",
        "corrigir",
        "correção",
        "gramática",
        "ortografia",
        "erro",
        "erros",
        "erros de",
        "revise",
        "pontuação",
        "frase está certa",
        "está certo",
        "está certa",
        "está correto",
        "está correta",
        "correctly",
        "grammar ok",
        "native speaker",
        "proper english",
        "right or wrong",
        "sound right",
        "sounds right",
        "anything wrong",
        "wrong with",
        "misspell",
        "misspelt",
        "comma",
        "commas",
        "spell",
        "corrige",
        "erros nesta",
        "revê",
        "reveja",
        "bem escrito",
        "bem escrita",
    )
    sentences: ClassVar[dict[str, dict[str, str]]] = {
        "en": {
            "none": "No mistakes found.",
            "one": "1 mistake found. The corrected text is below.",
            "many": "{count} mistakes found. The corrected text is below.",
            "reading": "Reading the text",
            "sentence": "Sentence without a mistake found",
            "acceptable": "Acceptable English",
        },
        "pt": {
            "none": "Nenhum erro encontrado.",
            "one": "1 erro encontrado. O texto corrigido está abaixo.",
            "many": "{count} erros encontrados. O texto corrigido está abaixo.",
            "reading": "Lendo o texto",
            "sentence": "Frase sem erro encontrado",
            "acceptable": "Inglês aceitável",
            "spelling": "ortografia",
            "grammar": "gramática",
            "punctuation": "pontuação",
            "word choice": "escolha de palavras",
        },
    }

    def answer(self, request: Request, engine: "Engine") -> Iterator[ReplyPart]:
        """Say how many mistakes there are, show them in the text, then the corrected text."""
        text = request.payload.text("text") if request.payload else ""
        if not text.strip():
            raise InputError(f"{self.title} needs a text; the message holds none.")
        stretches = split_sentences(text)
        edits: list[Edit] = []
        for first in range(0, len(stretches), SENTENCES_AT_ONCE):
            if len(stretches) > SENTENCES_AT_ONCE:
                yield Progress(first, len(stretches), self.said(request.language)["reading"])
            group = stretches[first : first + SENTENCES_AT_ONCE]
            found = self.corrected([text[start:end] for start, end in group], engine)
            edits += [shifted(e, start) for (start, _), es in zip(group, found, strict=True) for e in es]
        yield from self.shown(text, edits, request.language)
        left = [text[start:end] for start, end in stretches if not any(start <= e.start < end for e in edits)]
        if left and {"tag", "classify"} <= engine.operations:
            yield self.judged(left[:JUDGED], request.language, engine)

    @classmethod
    def judged(cls, sentences: Sequence[str], language: str, engine: "Engine") -> Table:
        """How acceptable each sentence is, taken as a whole, in which no mistake was found: there may be one."""
        found = engine.classify(sentences, Acceptability.adapter)
        shares = [result.probabilities[result.labels.index("acceptable")] for result in found]
        said = cls.said(language)
        return Table(
            (said["sentence"], said["acceptable"]),
            tuple(
                (" ".join(sentence.split()), f"{100 * share:.0f} %")
                for sentence, share in zip(sentences, shares, strict=True)
            ),
        )

    @classmethod
    def said(cls, language: str) -> dict[str, str]:
        """What it says, in a language."""
        return cls.sentences.get(language, cls.sentences["en"])

    @classmethod
    def shown(cls, text: str, edits: Sequence[Edit], language: str) -> Iterator[ReplyPart]:
        """How many mistakes there are, where they stand in the text, and the corrected text."""
        said = cls.said(language)
        if not edits:
            yield Text(said["none"])
            return
        yield Text(said["one"] if len(edits) == 1 else said["many"].format(count=len(edits)))
        spans = (
            Span(e.start, e.end, said.get(e.kind, e.kind), e.probability, replacement=e.replacement)
            for e in edits
        )
        yield Spans(text, tuple(spans))
        yield Text(applied(text, edits), copyable=True)

    def corrected(self, sentences: Sequence[str], engine: "Engine") -> list[list[Edit]]:
        """For each sentence its edits, in order and apart, after at most `ROUNDS` rounds; or what a base that cannot
        tag writes instead. Raises UnsupportedTask where it cannot write either."""
        if "tag" not in engine.operations and "generate" in engine.operations:
            prompt = load_prompt(self.prompts, "en")  # English is what is corrected
            return [list(differences(each, rewritten(each, prompt, engine))) for each in sentences]
        threshold = engine.adapter(self.adapter).threshold
        edits: list[list[Edit]] = [[] for _ in sentences]
        changing = list(range(len(sentences)))
        for _ in range(ROUNDS):
            current = [applied(sentences[i], edits[i]) for i in changing]
            tagged = engine.tag(current, self.adapter) if changing else []
            changed = []
            for i, sentence, tags in zip(changing, current, tagged, strict=True):
                found = corrections(sentence, tags, threshold)
                if found:
                    edits[i] = combined(sentences[i], edits[i], found)
                    changed.append(i)
            changing = changed
        return edits


@hookimpl
def register_applications() -> list[Application]:
    """The one application."""
    return [ErrorDetection()]
