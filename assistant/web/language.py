"""The interface's strings: one JSON file a language; another file is another language."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("strings")
DEFAULT = "en"


class Strings:
    """The strings of one language by key; `strings("key", name=…)` fills in the placeholders."""

    def __init__(self, language: str, strings: dict[str, str]) -> None:
        self.language = language
        self._strings = strings

    def __call__(self, key: str, **values: object) -> str:
        """The string under `key`. Raises KeyError for one that is not there, which is a defect."""
        return self._strings[key].format(**values)

    def percent(self, probability: float) -> str:
        """A probability as the language writes it; what is not certain is never 100 %, nor 0 %."""
        shown = probability * 100
        if 0 < shown < 0.1:
            return f"< {self._decimal('0.1')} %"
        if 99.9 < shown < 100:
            return f"> {self._decimal('99.9')} %"
        return f"{self._decimal(f'{shown:.1f}' if 0 < shown < 10 or 99 < shown < 100 else f'{shown:.0f}')} %"

    def number(self, value: float, digits: int = 0) -> str:
        """A number with the language's decimal and thousands separators."""
        return self._decimal(f"{value:,.{digits}f}")

    def _decimal(self, text: str) -> str:
        """A number in the language's way: `separators` are its thousands and decimal signs."""
        return text.translate(str.maketrans(",.", self._strings["separators"]))


@cache
def languages() -> dict[str, str]:
    """Language codes and their own names, the default first."""
    codes = sorted((path.stem for path in FOLDER.glob("*.json")), key=lambda code: (code != DEFAULT, code))
    return {code: strings_for(code)("language_name") for code in codes}


@cache
def strings_for(language: str) -> Strings:
    """The strings of a language. Raises FileNotFoundError where there is none."""
    return Strings(language, json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8")))


def preferred(accept_language: str) -> str:
    """The best of our languages for an Accept-Language header (RFC 9110, section 12.5.4)."""
    wishes = []
    for position, wish in enumerate(accept_language[:1000].split(",")):
        tag, _, quality = wish.replace(" ", "").lower().partition(";q=")
        weight = float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 1.0
        if weight:  # 0 is what is not wanted
            wishes.append((-weight, position, tag.split("-")[0]))
    return next((code for _, _, code in sorted(wishes) if code in languages()), DEFAULT)
