"""Make assistant/routing/none.json: messages that no application serves.

python benchmarks/routing/make_none.py CLINC150/train.jsonl.gz
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path

OUT = Path(__file__).parents[2] / "assistant" / "routing" / "none.json"

SMALL_TALK = """
hi · hello · hey there · good evening · how's it going · what's up · nice to meet you · thank you so much ·
thanks ·
great, thanks · you're great · you're wrong · that's not what i asked · no · yes · ok · sure · cool · haha ·
hm ·
bye · see you later · who built you · are you human · what can you help me with · i'm bored · i'm tired ·
i had a great day · i feel good about my job · i am so angry with my brother · she said something nasty to me
·
people at my school are cruel · the food at that place was terrible · i loved the concert last night ·
my phone broke again · he never listens to me · it is raining · i don't think so · that makes no sense to me ·
you make me happy · i love you · shut up · go away · tell me something interesting · are you sure ·
the numbers went negative last month · my blood test was positive · i agree with you · that follows ·
what would you do in my place · does it hurt to get a tattoo · does a higher price mean better quality ·
is it true that goldfish forget everything · if i miss the deadline will i have to pay ·
if i mix red and blue what do i get · can dogs eat chocolate · should i take an umbrella · is my boss angry
with me ·
is my neighbour being mean to his dog · is the shop open on sunday · are my parents proud of me ·
does he like me · do you like this song · how do i stop people from being rude to me · is it legal to record
a call ·
cats or dogs? · which is better, windows or linux? · should i get a mac or a pc? · who is better, messi or ronaldo? ·
summer or winter, what do you prefer? · do you like coffee or tea · pizza or sushi tonight? ·
which team will win, the lakers or the bulls? · should i study law or medicine? · is it cheaper to fly or to drive? ·
what's the best car for a family, a toyota or a ford? · is a hot dog a sandwich or not? · spotify or apple music? ·
which came first, the radio or the telephone? · shall we meet on monday or on tuesday? · red or blue? ·
which language should i learn first, spanish or german · who is taller, my brother or my sister? ·
which hotel would you book, the hilton or the ritz? · who discovered america? · how far is the moon ·
what is the largest city in africa · when did the war end · how many people live in india · why do cats purr ·
how do vaccines work · explain gravity to me · how much does a passport cost · where can i park downtown ·
i have a headache and a fever, what should i do? · how many milligrams can i take · is this mole dangerous ·
write a letter to my landlord · write a short story about a dragon · write a regular expression for dates ·
my program crashes with a segmentation fault · what's wrong with my car · what is wrong with you ·
can you help me with my homework · solve x + 3 = 10 · how much is 20 percent of 250 · roll a dice · sing a song ·
do you have feelings · do you know my name · what did i ask you before · can you see my screen ·
that was wrong · not what i meant · this is not helpful · you made a mistake · try again · good answer ·
we went to the beach yesterday and it was great · my brother got a new job last week ·
the meeting was long and nobody said anything useful · i have been learning portuguese since may
"""

OTHER_WORK = """
translate this into german: "…" · translate to english "…" · how do you say "…" in italian · is this spam?
"…" ·
is this email a scam? "…" · what language is this: "…" · in which language is "…" written · rewrite this
politely: "…" ·
make this more formal: "…" · paraphrase the following sentence: "…" · count the words in this text: "…" ·
how many letters are in "…" · who wrote "…" · who said "…" · which book is this from? "…" · what does "…"
mean ·
what does the word "…" mean in this sentence · continue this story: "…" · write a reply to this message: "…" ·
turn this into a poem: "…" · make a title for this article: "…" · write a headline: "…" ·
extract the names from this text: "…" · list all places mentioned in this: "…" · find the dates in this text:
"…" ·
which topic is this article about? "…" · is this sentence in the past tense? "…" · what is the verb in "…" ·
is this a question or a statement: "…" · is this a fact or fiction? "…" · is this news fake? "…" ·
did a machine write this? "…" · convert this to json: "…" · what does this code do? "…" · fix the bug in this
code: "…" ·
why does this command fail: "…" · explain this error message: "…" · sort this list: "…" · add these numbers:
"…" ·
what is the rhyme scheme of this poem? "…" · how old is the author of this? "…" · is this poem by a famous
author? "…" ·
convert this to upper case: "…" · what is the plural of "…" · how do you pronounce "…" · give me a synonym
for "…" ·
use "…" in a sentence · how do you spell "…" · what is the opposite of "…" · remind me to "…" · play "…" ·
search for "…" ·
send my mother a text saying "…" · add "…" to my shopping list · simplify this text for a child: "…" ·
write a review that says "…" · make this funnier: "…" · make this shorter: "…" · summarize this: "…" ·
correct the grammar in this: "…" · are there mistakes in this sentence? "…" · is this formal or informal? "…"
·
is this sarcastic? "…" · is this written in british or american english? "…" · is this confidential? "…" ·
is this address valid? "…" · is this ad or editorial? "…" · is this urgent? "…" · which department should get
this email? "…" ·
how do i answer this: "…" · what is a good comeback to this? "…" · my friend wrote "…", what should i answer ·
"…" what song is this · "…" which film is this quote from · "…" who is the speaker · "…" how do i say that in
spanish ·
compare the prices of "…" and "…" · what is the difference between "…" and "…" · which is longer, "…" or "…" ·
which word is more common, "…" or "…" · is it "…" or "…" · merge these sentences: "…" "…" · do "…" and "…"
rhyme ·
is "…" spelled correctly · traduza para o inglês: "…" · quem escreveu "…" · resuma este texto: "…" · corrija
esta frase: "…" ·
how many words does this text have? "…" · how many sentences are there in this? "…" · how long is this text? "…" ·
how many times does the letter e occur in this sentence? "…" · count the vowels in "…" ·
what is the word count of this: "…" ·
how many syllables are in "…" · make this longer: "…" · expand this into three paragraphs: "…" ·
turn this into bullet points for a slide: "…" · make this sound friendlier: "…" · reply to this email: "…" ·
write a song from this text: "…" · explain this joke: "…" · explain this text to me: "…" · what does this mean: "…" ·
translate this text: "…" · put this in spanish please "…" · who could have written this? "…" ·
when was this text written? "…" · what genre is this? "…" · is this a poem? "…" · is this written by an ai: "…" ·
give this story another ending: "…" · find a picture for this text: "…" · draw this: "…" · read this aloud: "…" ·
save this note: "…" · send this to ana: "…" · remember this: "…" · is this recipe healthy? "…" ·
is this price fair? "…" · is this legal? "…" · what is the phone number in this text? call it: "…" ·
change the names in this text: "…" · put the verbs into the past: "…" · replace he by she: "…" ·
which is the better title, "…" or "…"? · which name do you like more: "…" or "…" · what rhymes with "…" ·
classify this text by topic: "…" · give me keywords for this text: "…" · check this code: "…" · run this: "…"
"""


def main() -> None:
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    draw = random.Random(0)
    draw.shuffle(rows)
    taken: dict[str, list[str]] = {}
    for row in rows:
        kept = taken.setdefault(row["label"], [])
        if len(kept) < (60 if row["label"] == "oos" else 1):
            kept.append(row["text"])
    parts = [
        {
            "source": "CLINC150, Larson et al. 2019, https://github.com/clinc/oos-eval",
            "licence": "CC BY 3.0; a selection: one utterance of each intent and sixty out-of-scope ones",
            "lines": [text for label in sorted(taken) for text in taken[label]],
        },
        {
            "source": "written for this project: small talk",
            "licence": "Apache-2.0",
            "lines": _lines(SMALL_TALK),
        },
        {
            "source": "written for this project: other work",
            "licence": "Apache-2.0",
            "lines": _lines(OTHER_WORK),
        },
    ]
    text = json.dumps({"parts": parts}, ensure_ascii=False, indent=0)
    OUT.write_text(text + "\n", encoding="utf-8")
    print(f"{sum(len(part['lines']) for part in parts)} lines, {len(text.encode()):,} bytes: {OUT}")


def _lines(block: str) -> list[str]:
    return [" ".join(line.split()) for line in block.split("·") if line.strip()]


if __name__ == "__main__":
    main()
