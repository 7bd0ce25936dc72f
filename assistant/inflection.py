"""Words in other forms, by the dictionary of LemmInflect: "go" as "goes", "children" as "child"."""

from __future__ import annotations

from functools import lru_cache

# Words that are kept with their forms.
KEPT = 65_536
# The Penn Treebank tag of each verb form.
VERB_FORMS = {"BASE": "VB", "S": "VBZ", "PAST": "VBD", "PARTICIPLE": "VBN", "ING": "VBG"}


@lru_cache(KEPT)
def lemmas(word: str, kind: str) -> tuple[str, ...]:
    """The dictionary forms of a lower-case word as a "NOUN" or "VERB"; empty when it is none."""
    from lemminflect import getAllLemmas

    return tuple(getAllLemmas(word).get(kind, ()))


@lru_cache(KEPT)
def inflect(lemma: str, tag: str) -> str:
    """The form of a lemma with a Penn Treebank tag; the lemma itself where there is none."""
    from lemminflect import getInflection

    forms = getInflection(lemma, tag)
    return str(forms[0]) if forms else lemma


@lru_cache(KEPT)
def transformed(word: str, label: str) -> str:
    """A lower-case word after a TRANSFORM edit: by its first lemma, so that it can be undone without a context."""
    kind = "VERB" if label.startswith("TRANSFORM_VERB") else "NOUN"
    known = lemmas(word, kind) or (word,)
    if label == "TRANSFORM_SINGULAR":
        return known[0]
    if label == "TRANSFORM_PLURAL":
        return inflect(known[0], "NNS")
    return inflect(known[0], VERB_FORMS[label.rpartition("_")[2]])


@lru_cache(KEPT)
def kinds(word: str) -> frozenset[str]:
    """The parts of speech that the dictionary has the word as; none for a word that it lacks."""
    from lemminflect import getAllLemmas

    return frozenset(getAllLemmas(word))
