"""Words that learners of English confuse, and the closed list of edits that a tagger can ask for.

An edit is named as in GECToR (Omelianchuk et al. 2020, arXiv 2005.12592): KEEP, DELETE, REPLACE_<word>,
APPEND_<word>, TRANSFORM_… and a few more. Which words are confused follows the error types of the NUCLE corpus
(Dahlmeier, Ng & Wu 2013) and common usage guides.
"""

from __future__ import annotations

from assistant.inflection import VERB_FORMS

KEEP = "KEEP"

BE = frozenset("am is are was were be been being".split())  # noqa: SIM905
HAVE = frozenset(("have", "has", "had", "having"))
DO = frozenset(("do", "does", "did"))
MODALS = frozenset("can could will would shall should may might must".split())  # noqa: SIM905
SUBJECTS = frozenset("i you he she it we they".split())  # noqa: SIM905
THIRD_PERSON = frozenset("he she it tom mary everyone everybody someone nobody".split())  # noqa: SIM905
NOT_THIRD_PERSON = frozenset(("i", "you", "we", "they"))
PREPOSITIONS = frozenset(
    "in on at to for of from with by about into after before without during since".split()  # noqa: SIM905
)
BEFORE_SINGULAR = frozenset("a an one this that every each another".split())  # noqa: SIM905
BEFORE_PLURAL = frozenset(
    "these those many several few two three four five six ten twenty various both".split()  # noqa: SIM905
)
OFTEN_BEFORE_PLURAL = frozenset("other different most all such certain".split())  # noqa: SIM905
PAST_TIMES = frozenset("yesterday ago last when was were did had".split())  # noqa: SIM905
WH = frozenset("what where who why how when which".split())  # noqa: SIM905
POSSESSIVES = frozenset("my your his her its our their".split())  # noqa: SIM905
DETERMINERS = frozenset("a an the this that these those some any no".split()) | POSSESSIVES  # noqa: SIM905
CLOSED = (
    BE | HAVE | DO | MODALS | SUBJECTS | PREPOSITIONS | BEFORE_SINGULAR | BEFORE_PLURAL | WH | DETERMINERS
) | frozenset(
    "and or but not n t s there here then than so very too as if because me him them us much more most all "  # noqa: SIM905
    "who whom whose up out down off over".split()
)
# Nouns without a plural and without "a".
MASS = frozenset(
    "advice air baggage beauty bread business cash coffee courage damage education electricity equipment "  # noqa: SIM905
    "evidence experience food freedom fruit fun furniture gold grass happiness health help history homework "
    "housework ice information justice knowledge love luck luggage mail meat milk money music nature news oil "
    "paper patience peace pollution power progress rain research rice salt sand school scenery smoke snow sugar "
    "tea time traffic transport trouble truth water weather wine wood work home town bed church college english "
    "french god today yesterday tomorrow man labor industry commerce war trade law".split()
)

# The right word and what is written for it. A contraction is one entry: its first word carries the label.
CONFUSED: dict[str, dict[str, tuple[str, ...]]] = {
    "article": {"a": ("an",), "an": ("a",), "the": ("a",)},
    "agreement": {
        "is": ("are",),
        "are": ("is",),
        "am": ("is", "are"),
        "was": ("were",),
        "were": ("was",),
        "has": ("have",),
        "have": ("has",),
        "does": ("do",),
        "do": ("does",),
        "isn't": ("aren't",),
        "aren't": ("isn't",),
        "wasn't": ("weren't",),
        "weren't": ("wasn't",),
        "hasn't": ("haven't",),
        "haven't": ("hasn't",),
        "doesn't": ("don't",),
        "don't": ("doesn't",),
        "this": ("these",),
        "these": ("this",),
        "those": ("that",),
    },
    "preposition": {
        "in": ("on", "at", "of", "to"),
        "on": ("in", "at"),
        "at": ("in", "on", "to"),
        "to": ("for", "at", "in"),
        "for": ("to", "of", "since"),
        "of": ("from", "in", "for"),
        "from": ("of", "since"),
        "with": ("by", "from", "of"),
        "by": ("from", "with", "of"),
        "about": ("of", "on"),
        "into": ("in",),
        "during": ("while",),
        "since": ("from", "for"),
        "until": ("to",),
        "between": ("among",),
    },
    "pronoun": {
        "he": ("him",),
        "him": ("he",),
        "she": ("her",),
        "her": ("she",),
        "i": ("me",),
        "me": ("i",),
        "we": ("us",),
        "us": ("we",),
        "they": ("them",),
        "them": ("they",),
        "my": ("me", "mine"),
        "your": ("you",),
        "our": ("us", "ours"),
        "their": ("them",),
        "his": ("he",),
        "who": ("which",),
    },
    "confusion": {
        "their": ("there", "they're"),
        "there": ("their", "they're"),
        "they're": ("their", "there"),
        "its": ("it's",),
        "it's": ("its",),
        "your": ("you're",),
        "you're": ("your",),
        "whose": ("who's",),
        "who's": ("whose",),
        "then": ("than",),
        "than": ("then",),
        "to": ("too",),
        "too": ("to",),
        "two": ("to", "too"),
        "affect": ("effect",),
        "effect": ("affect",),
        "lose": ("loose",),
        "loose": ("lose",),
        "were": ("where",),
        "where": ("were",),
        "weather": ("whether",),
        "whether": ("weather",),
        "quite": ("quiet",),
        "quiet": ("quite",),
        "advice": ("advise",),
        "advise": ("advice",),
        "accept": ("except",),
        "except": ("accept",),
        "hear": ("here",),
        "here": ("hear",),
        "buy": ("by",),
        "by": ("buy",),
        "write": ("right",),
        "right": ("write",),
        "know": ("now", "no"),
        "now": ("know",),
        "no": ("know",),
        "knew": ("new",),
        "new": ("knew",),
        "much": ("many",),
        "many": ("much",),
        "well": ("good",),
        "any": ("some",),
        "have": ("of",),
        "off": ("of",),
        "of": ("off",),
        "our": ("are",),
        "are": ("our",),
        "past": ("passed",),
        "passed": ("past",),
        "piece": ("peace",),
        "peace": ("piece",),
        "principle": ("principal",),
        "principal": ("principle",),
        "dessert": ("desert",),
        "breath": ("breathe",),
        "breathe": ("breath",),
        "choose": ("chose",),
        "break": ("brake",),
        "whole": ("hole",),
        "hole": ("whole",),
        "plane": ("plain",),
        "week": ("weak",),
        "weak": ("week",),
        "wear": ("where",),
        "though": ("through", "thought"),
        "through": ("threw", "trough"),
        "thought": ("though",),
        "believe": ("belief",),
        "belief": ("believe",),
        "life": ("live",),
        "live": ("life",),
        "meet": ("meat",),
        "meat": ("meet",),
        "see": ("sea",),
        "sea": ("see",),
        "one": ("won",),
        "won": ("one",),
        "wait": ("weight",),
        "weight": ("wait",),
        "say": ("tell",),
        "tell": ("say",),
        "beside": ("besides",),
        "quickly": ("quick",),
        "carefully": ("careful",),
        "really": ("real",),
        "easily": ("easy",),
        "slowly": ("slow",),
        "badly": ("bad",),
        "lend": ("borrow",),
        "teach": ("learn",),
        "another": ("other",),
        "other": ("another", "others"),
    },
}
# What is left out after a word, by the word that has to be put back.
LEFT_OUT = {
    "article": ("a", "an", "the"),
    "preposition": ("to", "of", "in", "for", "on", "at", "with", "from", "by", "about", "up", "as"),
    "auxiliary": ("is", "are", "am", "was", "were", "be", "been", "have", "has", "do", "did", "does"),
    "pronoun": ("it", "i", "you", "he", "she", "they", "we"),
}
PUNCTUATION = (".", "?", ",")
# What can be missing before a sentence's first word.
OPENING = ("the", "a", "it", "there", "i", "is", "are")

# A word that is too much after another word.
TOO_MUCH_AFTER = {
    "discuss": "about",
    "discussed": "about",
    "enter": "into",
    "entered": "into",
    "marry": "with",
    "married": "with",
    "reach": "to",
    "reached": "to",
    "ask": "to",
    "asked": "to",
    "answer": "to",
    "answered": "to",
    "contact": "with",
    "met": "with",
    "told": "to",
    "tell": "to",
    "visit": "to",
    "visited": "to",
    "go": "to",
    "went": "to",
    "going": "to",
    "came": "to",
    "come": "to",
    **dict.fromkeys(MODALS, "to"),
}
# "go to home": after these verbs only before these words.
TOO_MUCH_BEFORE = frozenset(("home", "there", "here", "abroad", "downtown", "back", "outside"))

COMPOUNDS = {
    "sometimes": "some times",
    "myself": "my self",
    "himself": "him self",
    "yourself": "your self",
    "without": "with out",
    "into": "in to",
    "cannot": "can not",
    "everyone": "every one",
    "someone": "some one",
    "anyone": "any one",
    "everything": "every thing",
    "something": "some thing",
    "anything": "any thing",
    "everybody": "every body",
    "somebody": "some body",
    "outside": "out side",
    "inside": "in side",
    "weekend": "week end",
    "homework": "home work",
    "today": "to day",
    "tomorrow": "to morrow",
    "another": "an other",
    "however": "how ever",
    "whenever": "when ever",
    "already": "all ready",
    "bedroom": "bed room",
    "classroom": "class room",
    "airport": "air port",
    "football": "foot ball",
    "baseball": "base ball",
    "birthday": "birth day",
    "newspaper": "news paper",
    "grandmother": "grand mother",
    "grandfather": "grand father",
    "breakfast": "break fast",
    "afternoon": "after noon",
    "everywhere": "every where",
    "nowadays": "now days",
    "throughout": "through out",
    "government": "govern ment",
    "understand": "under stand",
    "itself": "it self",
    "themselves": "them selves",
    "ourselves": "our selves",
    "upon": "up on",
    "within": "with in",
}
# After these a sentence's first comma belongs.
INTRODUCTIONS = frozenset(
    "however therefore moreover furthermore finally fortunately unfortunately yes no well first second "  # noqa: SIM905
    "sometimes actually besides nevertheless consequently hello sorry".split()
)
SUBORDINATORS = frozenset("if when because although though after before while since unless as".split())  # noqa: SIM905
ADVERBS = frozenset("always never often usually also really already still just probably".split())  # noqa: SIM905

TRANSFORMS = (
    "TRANSFORM_PLURAL",
    "TRANSFORM_SINGULAR",
    *(f"TRANSFORM_VERB_{form}" for form in VERB_FORMS),
)


def _labels() -> tuple[str, ...]:
    replaced = {right for table in CONFUSED.values() for right in table}
    appended = {word for words in LEFT_OUT.values() for word in words}
    return (
        KEEP,
        *("DELETE", "SPELL", "MERGE_NEXT", "SWAP_NEXT", "HYPHEN", "APOSTROPHE"),
        *TRANSFORMS,
        *(f"REPLACE_{word}" for word in (*sorted(replaced), "?")),
        *(f"APPEND_{word}" for word in (*sorted(appended), *PUNCTUATION)),
        *(f"PREPEND_{word}" for word in OPENING),
    )


LABELS = _labels()
