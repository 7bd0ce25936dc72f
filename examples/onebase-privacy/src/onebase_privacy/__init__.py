"""The plugin onebase-privacy: no application, only a notice when a message holds private data."""

from __future__ import annotations

import re

from assistant import Notice, Request, hookimpl

# The hook is asked on every message; a longer one is looked at up to here. Characters.
LOOKED_AT = 20_000
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
# 13 to 19 digits (ISO/IEC 7812-1), perhaps in groups.
CARD = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])")
# The country whose way of writing a phone number without its country code is known.
REGIONS = {"en": "US", "pt": "BR"}
NOTICES = {
    "en": "A note: your message holds {what}. Leave out what others need not know.",
    "pt": "Nota: a sua mensagem contém {what}. Deixe de fora o que os outros não precisam saber.",
}
NAMES = {
    "en": {"email": "an e-mail address", "phone": "a phone number", "card": "a card number"},
    "pt": {
        "email": "um endereço de e-mail",
        "phone": "um número de telefone",
        "card": "um número de cartão",
    },
}


@hookimpl
def review_message(request: Request) -> Notice | None:
    """A notice that names the kinds of private data in the message, and never the data."""
    language = request.language if request.language in NOTICES else "en"
    kinds = private_data(request.message[:LOOKED_AT], REGIONS[language])
    if not kinds:
        return None
    what = ", ".join(NAMES[language][kind] for kind in kinds)
    return Notice(NOTICES[language].format(what=what), kind="private-data")


def private_data(text: str, region: str) -> list[str]:
    """Which of "email", "phone" and "card" the text holds."""
    from phonenumbers import PhoneNumberMatcher  # not needed before the first message

    found = {
        "email": EMAIL.search(text) is not None,
        "phone": PhoneNumberMatcher(text, region).has_next(),
        "card": any(is_card_number(match[0]) for match in CARD.finditer(text)),
    }
    return [kind for kind, there in found.items() if there]


def is_card_number(text: str) -> bool:
    """Whether the digits pass the check that those of payment cards pass (Luhn)."""
    digits = [int(character) for character in text if character.isdecimal()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return any(digits) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
