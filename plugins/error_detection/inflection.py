"""Words in another form: "go" as "goes", "child" as "children"; by the dictionary of LemmInflect."""

from functools import lru_cache

VERB_FORMS = {"BASE": "VB", "S": "VBZ", "PAST": "VBD", "PARTICIPLE": "VBN", "ING": "VBG"}
NOUN, VERB = "NOUN", "VERB"


@lru_cache(maxsize=4096)
def lemmas(word: str, kind: str) -> tuple[str, ...]:
    """The dictionary forms of a lower-case word as a noun or a verb; empty where it is none."""
    from lemminflect import getAllLemmas

    return tuple(getAllLemmas(word).get(kind, ()))


@lru_cache(maxsize=4096)
def listed(word: str) -> bool:
    """Whether a lower-case word stands in the dictionary in any form."""
    from lemminflect import getAllLemmas

    return bool(getAllLemmas(word))


def transformed(word: str, form: str) -> str | None:
    """A lower-case word in the form PLURAL, SINGULAR or VERB_<one of VERB_FORMS>; None for a word that has none."""
    from lemminflect import getInflection

    kind, _, verb_form = form.partition("_")
    known = lemmas(word, VERB if kind == VERB else NOUN)
    if not known:
        return None
    if kind == "SINGULAR":
        return known[0]
    tag = VERB_FORMS.get(verb_form) if kind == VERB else "NNS"
    found = getInflection(known[0], tag) if tag else ()
    return str(found[0]) if found else None
