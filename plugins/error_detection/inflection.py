"""Words in another form, as an edit asks for it."""

from assistant.inflection import VERB_FORMS, inflect, lemmas


def transformed(word: str, form: str) -> str | None:
    """A lower-case word in the form PLURAL, SINGULAR or VERB_<one of VERB_FORMS>; None for a word that has none."""
    kind, _, verb_form = form.partition("_")
    known = lemmas(word, "VERB" if kind == "VERB" else "NOUN")
    if not known:
        return None
    if kind == "SINGULAR":
        return known[0]
    tag = VERB_FORMS.get(verb_form) if kind == "VERB" else "NNS"
    return inflect(known[0], tag) if tag else None
