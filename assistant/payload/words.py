"""The words by which people set an instruction apart from the text it is about, in English and Portuguese.

They are general: what is particular to an application stands in its `cues`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

# What a person calls the text.
NOUN = (
    r"(?:texts?|sentences?|phrases?|statements?|lines?|words|reviews?|comments?|tweets?|messages?|posts?|"
    r"feedback|"
    r"paragraphs?|passages?|e-?mails?|mails?|letters?|articles?|captions?|repl(?:y|ies)|quotes?|"
    r"conversations?|"
    r"chats?|lyrics|documents?|files?|pdfs?|attachments?|stor(?:y|ies)|notes?|opinions?|ones?|claims?|"
    r"essays?|speech|snippets?|abstracts?|reports?|"
    r"textos?|frases?|avaliaç(?:ão|ões)|coment[áa]rios?|mensage(?:m|ns)|par[áa]grafos?|trechos?|"
    r"artigos?|documentos?|arquivos?|ficheiros?|afirmaç(?:ão|ões)|passage(?:m|ns)|notícias?|redaç(?:ão|ões))"
)
DEICTIC = (
    r"(?:this|dis|these|those|that|it|(?:the )?fol+owing?|below|above|here(?:'s| is| are)?|they|"
    r"[dn]?isto|[dn]?isso|[dn]?est[ae]s?|[dn]?ess[ae]s?|aqui|abaixo|acima|seguintes?|a seguir|aí)"
)
# How a question begins.
ASKS = re.compile(
    r"\W*(?:(?:or|and|so|but|ou|e)\s+)?(?:is|are|was|were|do|does|did|can|could|would|will|should|may|has|"
    r"have|had|[ée]|são|foi|era|você|(?P<wh>what|which|who|where|when|why|how|qual|quais|quem|onde|quando|"
    r"como|o que|por ?qu[eê]))(?!\w)",
    re.I,
)
ASKS_WHICH = re.compile(r"\W*(?:(?:so|and|e)\s+)?(?:which|what|qual)\b", re.I)
# "more or less" and "or not" part no choices. A run of spaces is tried at its first one only: linear time.
OR = re.compile(
    r"(?:(?<!more)(?<!mais)(?<!\s)\s+(?:or|ou)\s(?!not\b|less\b|so\b|else\b|não\b|menos\b))", re.I
)
# How a request begins.
OPENER = (
    r"(?:is|isn't|are|was|were|am|does|doesn't|do|did|can|could|would|wouldn't|will|should|may|has|have|"
    r"how|what|"
    r"what's|whats|which|who|why|please|pls|plz|kindly|tell|check|rate|classify|analy[sz]e|judge|"
    r"evaluate|assess|"
    r"label|detect|determine|decide|identify|figure|find|read|look|compare|say|flag|help|give|explain|"
    r"show|mark|"
    r"correct|fix|proofread|summari[sz]e|shorten|answer|verify|consider|categori[sz]e|review|report|"
    r"guess|pick|"
    r"choose|make|sum|condense|abridge|reduce|trim|cut|boil|write|spot|underline|highlight|grade|moderate|use|"
    r"i need|i want|i have|i've got|i'd like|i'd love|would love|i would like|i wonder|i'm "
    r"wondering|wondering|let me know|"
    r"[ée]|são|será|está|há|qual|quais|como|que|o que|quem|por que|por favor|pfv|diga|diz|me diga|"
    r"verifi(?:que|ca)|"
    r"classifi(?:que|ca)|anali(?:se|sa)|avali[ae]|corrij[ae]|corrige|resum[ae]|responda|pode(?:s|ria)?|você|"
    r"encurt[ae]|reduz(?:a|ir)?|sintetiz[ae]|faz|faça|revê|revej[ae]|revis[ae]|escolh[ae]|podia[s]?|"
    r"quero|queria|preciso|posso|estas|estes|est[ae]|isso|isto|explique|leia|veja|compare)"
)
COURTESY = (
    r"(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|there|all|everyone|dear|please|pls|plz|"
    r"thanks?|thx|"
    r"ty|thank you|many|very much|so much|a lot|in advance|cheers|hope|you're|you are|well|doing|quick|"
    r"one|question|"
    r"for (?:you|me)|ok|okay|so|and|now|um|sorry|again|i'm|a|an|teacher|mod|"
    r"ol[áa]|oi|bom dia|boa tarde|boa noite|por favor|pfv|obrigad[oa]|desde já|tudo bem)"
)
# How somebody else's words are introduced.
FRAME = (
    r"(?:wrote|writes?|writing|said|says?|saying|commented|posted|posts?|sent|texted|received|got|gets?|"
    r"replied|"
    r"told|left|tweeted|reads?|claims?|asked|reported|keeps?|called|calling|found|"
    r"escreveu|disse|diz|comentou|postou|mandou|enviou|recebi|respondeu|deixou)"
)

_OPENS = re.compile(
    rf"^\W*(?:{COURTESY}\b[\s,!.]*)*(?:can|could|would|will)?\s*(?:you|u)?\s*{OPENER}(?![\w'’])", re.I
)
_POINTS_AT_NOUN = re.compile(
    rf"\b(?:{DEICTIC}|the|my|our|one|two|a|o|as|os)\s+(?:\w+\s+){{0,2}}?{NOUN}\b|"
    rf"\b{NOUN}\s+(?:\w+\s+)?(?:below|above|abaixo|acima)\b",
    re.I,
)
_BACK = re.compile(
    r"\b(?:(?:the|o|a) (?:writer|author|reviewer|customer|client|guest|person|speaker|sender|poster|user|"
    rf"autora?|cliente|pessoa|{NOUN})|s?he|they|their|his|her|ele|ela)\b",
    re.I,
)
_ASKING = re.compile(
    r"\W*(?:who|whose|whom|what|which|when|where|why|how|quem|o que|qual|quais|quando|onde|como|"
    r"quant[oa]s?|por ?qu[eê])(?!\w)",
    re.I,
)
_POINTS = re.compile(rf"\b{DEICTIC}(?!\w)", re.I)
_GREETING = re.compile(
    r"\b(?:hi|hello|hey|hiya|good|dear|please|pls|plz|thanks?|thx|ty|cheers|hope|doing|quick|ok|okay|"
    r"sorry|ol[áa]|oi|bom|"
    r"boa|por favor|pfv|obrigad[oa]|teacher|mod)\b",
    re.I,
)
_COURTESY_ONLY = re.compile(rf"\W*(?:{COURTESY}(?!\w)\W*)+", re.I)
# Of these, what is said of a message that somebody sent.
_MESSAGE_FRAMES = re.compile(
    r"\b(?:wr[oi]tes?|writing|said|says?|saying|commented|posted|posts?|sent|texted|dm'?e?d|messaged|emailed|received|got|"
    r"gets?|replied|told|left|tweeted|reads?|reported|keeps?|escreveu|disse|diz|comentou|postou|mandou|enviou|recebi|"
    r"respondeu|deixou)\b",
    re.I,
)
_FRAMES = re.compile(rf"\b{FRAME}\b", re.I)
_NOUN_ONLY = re.compile(
    rf"\W*(?:(?:the|my|our|your|customer|user|product|o|a)\s+)?(?:{NOUN}|task|question|input|post to check|"
    rf"tarefa|pergunta)\W*",
    re.I,
)
# "/sentiment …", but no path and no date.
COMMAND = re.compile(r"\s*/(?P<id>[\w-]+)(?:\s+|$)")
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def opens_request(clause: str) -> bool:
    """Whether a clause begins as a question or a command."""
    return _OPENS.match(" ".join(clause[:2_000].split())[:200]) is not None


def refers_back(clause: str) -> bool:
    """Whether a clause speaks of what went before: "this", "she", "the author"."""
    return points(clause) or _BACK.search(clause) is not None


def asks(clause: str) -> bool:
    """Whether a clause begins with a question word."""
    return _ASKING.match(clause) is not None


def points_at_text(clause: str) -> bool:
    """Whether a clause names the text it is about ("this review", "the text below")."""
    return _POINTS_AT_NOUN.search(clause) is not None


def points(clause: str) -> bool:
    """Whether a clause refers to something outside itself ("this", "the following")."""
    return _POINTS.search(clause) is not None


def is_courtesy(clause: str) -> bool:
    """Whether a clause is nothing but a greeting or thanks."""
    return _GREETING.search(clause) is not None and _COURTESY_ONLY.fullmatch(clause) is not None


def frames_quote(clause: str) -> bool:
    """Whether a clause introduces somebody's words ("my boss wrote")."""
    return _FRAMES.search(clause) is not None


def frames_message(clause: str) -> bool:
    """Whether a clause introduces a message that somebody sent."""
    return _MESSAGE_FRAMES.search(clause) is not None


def names_text(clause: str) -> bool:
    """Whether a clause is only a name for the text ("Review:")."""
    return _NOUN_ONLY.fullmatch(clause) is not None


def cue_hits(text: str, cues: Iterable[str]) -> list[re.Match[str]]:
    """Where cues stand in a text, in order; a slip of the keyboard in a long cue is forgiven."""
    cues = tuple(cues)
    if not cues:
        return []
    hits = list(_cue_pattern(cues).finditer(text))
    taken = {position for hit in hits for position in range(*hit.span())}
    long = tuple(cue.lower() for cue in cues if len(cue) > 5 and cue.isalpha())
    for word in WORD.finditer(text):
        if (
            len(word[0]) > 5
            and _misspelt(word[0].lower(), long)
            and word.start() not in taken
            and not is_courtesy(word[0])
        ):
            hits.append(word)
    return sorted(hits, key=lambda hit: hit.start())


@lru_cache(maxsize=64)
def _cue_pattern(cues: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(cues, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.I)


@lru_cache(maxsize=4096)
def _misspelt(word: str, cues: tuple[str, ...]) -> bool:
    # Same first letter and nearly the same length first: the ratio is slow on long pasted texts.
    return any(
        word[0] == cue[0]
        and abs(len(word) - len(cue)) <= 1
        and SequenceMatcher(None, word, cue).ratio() >= 0.85
        for cue in cues
    )
