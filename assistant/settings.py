"""Settings: everything a host may change, read once from the environment and passed on as a value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from assistant.errors import AssistantError

MEGABYTE = 1_000_000
# What `--base` calls the base that comes with the package.
EMBEDDED = "embedded"
# How the worked examples of a prompt are chosen: the same ones for every message, or those most similar to it.
Selection: TypeAlias = Literal["fixed", "similar"]
SELECTIONS: tuple[Selection, ...] = get_args(Selection)
# How many of them there are, unless fewer fit.
SHOTS = 8


@dataclass(frozen=True)
class Limits:
    """Bounds on what one visitor may send. Lengths in characters, sizes in bytes."""

    message_characters: int = 100_000
    document_bytes: int = 20 * MEGABYTE
    document_characters: int = 3_000_000
    document_pages: int = 1_000
    documents: int = 8
    history_turns: int = 200
    # Examples to teach with, the seconds that all methods together may take, and how many visitors may teach at a time.
    taught_rows: int = 5_000
    taught_bytes: int = 2 * MEGABYTE
    taught_seconds: float = 600.0
    trainings: int = 1
    # More parts than this are no reply but a generator that does not end.
    reply_parts: int = 1_000
    # A plugin that is not ready by then is given up. Seconds: for an answer, for what is asked on every
    # message (a vote, a review), and for the import (the registering of applications has as much again).
    deadline: float = 30.0
    vote_deadline: float = 2.0
    review_deadline: float = 2.0
    import_deadline: float = 20.0
    # On a public page, of one visitor: messages a minute, requests of any kind a minute (a message on the page
    # takes about four), uploaded bytes an hour; and the bytes of one request that uploads nothing.
    messages_per_minute: int = 20
    requests_per_minute: int = 300
    upload_bytes_per_hour: int = 200 * MEGABYTE
    request_bytes: int = 32 * MEGABYTE


@dataclass(frozen=True)
class Settings:
    """What `assistant` reads from the environment.

    `ONEBASE_HOME`           folder for the plugin list and caches (default: ~/.local/share/onebase)
    `ONEBASE_PLUGINS`        comma-separated plugin names to load; a leading `-` blocks a name; empty: none
    `ONEBASE_STRICT`         `1` re-raises what a plugin raises (for plugin authors)
    `ONEBASE_ADAPTER_BYTES`  byte budget for resident adapters
    `ONEBASE_SHOTS`          worked examples in the prompt of a base that answers by prompts
    `ONEBASE_SELECTION`      how they are chosen: `fixed` or `similar`
    `ONEBASE_API_KEY`        key for the server of `--engine openai`, if it wants one
    `ONEBASE_PROXIES`        how many proxies stand in front; the outermost one's word on a visitor's address counts
    """

    home: Path = field(default_factory=lambda: Path.home() / ".local" / "share" / "onebase")
    # None: no filter. Otherwise only `allowed` (None: all) and never `blocked`.
    allowed_plugins: frozenset[str] | None = None
    blocked_plugins: frozenset[str] = frozenset()
    strict: bool = False
    adapter_bytes: int = 256 * MEGABYTE
    shots: int = SHOTS
    selection: Selection = "fixed"
    api_key: str = field(default="", repr=False)
    proxies: int = 0
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the variables above.

        Raises AssistantError for a value that is not of the kind that is expected.
        """
        environ = os.environ if environ is None else environ
        default = cls()
        home = Path(environ["ONEBASE_HOME"]).expanduser() if environ.get("ONEBASE_HOME") else default.home
        allowed, blocked = _plugin_filter(environ.get("ONEBASE_PLUGINS"))
        return cls(
            home=home,
            allowed_plugins=allowed,
            blocked_plugins=blocked,
            strict=environ.get("ONEBASE_STRICT", "") not in ("", "0"),
            api_key=environ.get("ONEBASE_API_KEY", ""),
            adapter_bytes=_number(
                environ, "ONEBASE_ADAPTER_BYTES", default.adapter_bytes, "a number of bytes"
            ),
            shots=_number(environ, "ONEBASE_SHOTS", default.shots, "a number of worked examples"),
            selection=_selection(environ.get("ONEBASE_SELECTION", default.selection)),
            proxies=_number(environ, "ONEBASE_PROXIES", default.proxies, "a number of proxies"),
        )


def _number(environ: Mapping[str, str], name: str, default: int, expected: str) -> int:
    value = environ.get(name, str(default))
    if not value.isdecimal():
        raise AssistantError(f"{name} is {value!r}; expected {expected}.")
    return int(value)


def _selection(value: str) -> Selection:
    for selection in SELECTIONS:
        if value == selection:
            return selection
    raise AssistantError(f"ONEBASE_SELECTION is {value!r}; expected {' or '.join(SELECTIONS)}.")


def _plugin_filter(value: str | None) -> tuple[frozenset[str] | None, frozenset[str]]:
    """Split `a,b` into what is allowed and `-c` into what is blocked."""
    if value is None:
        return None, frozenset()
    names = [name.strip() for name in value.split(",") if name.strip()]
    blocked = frozenset(name[1:].strip() for name in names if name.startswith("-"))
    allowed = frozenset(name for name in names if not name.startswith("-"))
    # Only blocks were named: everything else stays allowed.
    return (None if blocked and not allowed else allowed), blocked
