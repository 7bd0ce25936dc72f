"""A plugin's folder, complete and ready for pip: code, adapter, prompts, card, tests, pyproject.

    onebase-<name>/
        pyproject.toml  README.md
        src/onebase_<name>/__init__.py  prompts/{en,pt}.yaml  adapter/
        tests/test_<name>.py

The files come from `plugin_template/`, filled in by `string.Template`.
"""

from __future__ import annotations

import json
import keyword
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template

from assistant.engine.manifest import Manifest, read_manifest, write_manifest
from assistant.errors import AdapterError, DataError

MAX_NAME = 40
MAX_TITLE = 60
MAX_DESCRIPTION = 300

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_HEADING = re.compile(r"^# .*$", re.MULTILINE)
# What the code of a plugin calls by these names already.
_TAKEN = frozenset({"Application", "ClassVar", "Engine", "InputError", "Iterator", "Path", "ReplyPart", "Request",
                    "Text", "TextClassification"})  # fmt: skip
# What stands in an adapter folder; nothing else is taken along.
_ADAPTER_FILES = (
    "README.md",
    "adapter_config.json",
    "adapter_model.safetensors",
    "head.safetensors",
    "onebase.json",
)
# Ways of asking, the last one in Portuguese; `{text}` is the payload.
_ASKED = (
    "{title}: {text}",
    "Use {title} on this.\n\n{text}",
    "/{name} {text}",
    "Verifique com {title}: {text}",
)
# For an adapter without rows: texts that any application can be asked about.
_NEUTRAL = (
    "Could you tell me more about this?",
    "That took longer than I thought.",
    "Tudo correu bem ontem.",
)


def write_plugin(
    folder: Path,
    name: str,
    title: str,
    description: str,
    adapter: Path | None = None,
    prompts: Mapping[str, str] | None = None,
    texts: Sequence[Sequence[str]] = (),
) -> None:
    """Write the plugin `onebase-<name>` to `folder`, whole or not at all.

    With `adapter`, the folder of a trained classification adapter, the code is made to fit it and a copy goes along,
    under the plugin's name; without, the plugin says the first sentence of a text, to go on from. `prompts` are the
    texts of prompt files by language (see `prompt_drafts`); without any, a plugin with an adapter has none. `texts`
    are payloads to make the application's examples of, each in the order of the adapter's fields.

    Raises DataError for a name, title or description that cannot be used and for a folder that is there already, and
    AdapterError for an adapter folder that cannot be read or that does not classify.
    """
    check_name(name)
    title, description = _line("title", title, MAX_TITLE), _line("description", description, MAX_DESCRIPTION)
    manifest = _classification(adapter) if adapter else None
    if folder.exists():
        raise DataError(f"{folder.name} is there already; name another folder or remove it.")
    values = _values(name, title, description, manifest, texts, with_prompts=bool(prompts) or not adapter)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise DataError(f"{folder.name} cannot be written: {error.strerror}.") from None
    try:
        _write(temporary, name, values, adapter, manifest, prompts)
        temporary.chmod(0o755)
        temporary.rename(folder)
    except OSError as error:
        raise DataError(f"{folder.name} cannot be written: {error.strerror}.") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_name(name: str) -> None:
    """Raise DataError for a name that no plugin can have."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise DataError(
            f"The name {name!r:.60} cannot be a plugin's; expected lower-case letters, digits and single hyphens, "
            f"a letter first, at most {MAX_NAME} characters."
        )
    if name.startswith("onebase-"):
        raise DataError(
            f"The name {name!r} has “onebase-” already; expected {name.removeprefix('onebase-')!r}."
        )
    if keyword.iskeyword(_class_name(name)) or _class_name(name) in _TAKEN:
        raise DataError(f"The name {name!r} means something else in a plugin's code; choose another one.")


def _classification(adapter: Path) -> Manifest:
    manifest = read_manifest(adapter)
    if manifest.operation != "classify" or len(manifest.fields) > 2:
        raise AdapterError(
            f"The adapter {adapter.name!r} is for {manifest.operation!r} with {len(manifest.fields)} fields; "
            "a new plugin can be made of one that classifies a text or a pair."
        )
    if missing := [name for name in _ADAPTER_FILES if not (adapter / name).is_file()]:
        raise AdapterError(f"The adapter {adapter.name!r} has no {missing[0]}.")
    return manifest


def _write(
    folder: Path,
    name: str,
    values: Mapping[str, str],
    adapter: Path | None,
    manifest: Manifest | None,
    prompts: Mapping[str, str] | None,
) -> None:
    package = folder / "src" / values["package"]
    (package / "prompts").mkdir(parents=True)
    (folder / "tests").mkdir()
    templates = {
        folder / "pyproject.toml": "pyproject.toml",
        folder / "README.md": "README.md",
        folder / "tests" / f"test_{values['package']}.py": "test.py",
        package / "__init__.py": "classification.py" if adapter else "application.py",
    }
    if not adapter and not prompts:
        templates |= {
            package / "prompts" / f"{language}.yaml": f"{language}.yaml" for language in ("en", "pt")
        }
    for path, template in templates.items():
        path.write_text(_template(template).substitute(values), encoding="utf-8")
    for language, text in (prompts or {}).items():
        (package / "prompts" / f"{language}.yaml").write_text(text, encoding="utf-8")
    if adapter and manifest:
        (package / "adapter").mkdir()
        for file in _ADAPTER_FILES:
            shutil.copyfile(adapter / file, package / "adapter" / file)
        card = (adapter / "README.md").read_text(encoding="utf-8")
        card = _HEADING.sub(lambda _: f"# {values['plain_title']}", card, count=1)
        (package / "adapter" / "README.md").write_text(card, encoding="utf-8")
        # The application's id and the adapter's name are one.
        write_manifest(manifest.model_copy(update={"name": name}), package / "adapter")
    if not any((package / "prompts").iterdir()):
        (package / "prompts").rmdir()


def _values(
    name: str,
    title: str,
    description: str,
    manifest: Manifest | None,
    texts: Sequence[Sequence[str]],
    *,
    with_prompts: bool,
) -> dict[str, str]:
    """What the templates' placeholders stand for; strings quoted as Python, TOML and YAML all read them."""
    fields = manifest.fields if manifest else ("text",)
    labels = manifest.labels if manifest else ()
    shown = [label.replace("_", " ") for label in labels]
    cues = dict.fromkeys((title.casefold(), name.replace("-", " ")))
    parts = [f"- `src/{_package(name)}`: the code"]
    if manifest:
        parts.append(f"- its `adapter/`, with labels {', '.join(shown)}; `adapter/README.md` is its card")
    if with_prompts:
        parts.append("- its `prompts/`: what the task is, in words, for a base model without the adapter")
    return {
        "name": name,
        "package": _package(name),
        "class_name": _class_name(name),
        "title": _quoted(title),
        "description": _quoted(description),
        "plain_title": title,
        "plain_description": description,
        "version": version("onebase"),
        "fields": _tuple(fields),
        "prompts": 'HERE / "prompts"' if with_prompts else "None",
        "examples": _tuple(
            _messages(name, title, fields, texts or [[text] * len(fields) for text in _NEUTRAL])
        ),
        "cues": _tuple(tuple(cues)),
        "english": _sentences(labels, shown, "It is"),
        "portuguese": _sentences(labels, shown, "É"),
        "parts": "\n".join(parts),
        "measured": _measured(manifest) if manifest else "",
        "advice": _advice(manifest is not None, with_prompts),
    }


def _messages(
    name: str, title: str, fields: Sequence[str], texts: Sequence[Sequence[str]]
) -> tuple[str, ...]:
    """Messages as people might type them, each way of asking with another payload."""
    messages = []
    for number, asked in enumerate(_ASKED):
        payload = [" ".join(text.split()).replace('"', "'") for text in texts[number % len(texts)]]
        if len(fields) == 1:
            said = f'"{payload[0]}"'
        else:
            said = " ".join(
                f"{field.capitalize()}: {text}" for field, text in zip(fields, payload, strict=True)
            )
        messages.append(asked.format(name=name, title=title, text=said))
    return tuple(messages)


def _measured(manifest: Manifest) -> str:
    """The figures and the data behind the adapter, as a section of the card."""
    lines = ["", "## Measured on dev rows, on the int8 base", ""]
    lines += [
        f"- {metric.replace('_', ' ')}: {value:g}"
        for metric, value in manifest.metrics.items()
        if not metric.endswith(("_low", "_high"))
    ]
    lines += ["", "## Data", ""]
    lines += [f"- {source.path}: {source.rows:,} rows, {source.licence}" for source in manifest.data]
    return "\n".join(lines) + "\n"


def _advice(classifies: bool, with_prompts: bool) -> str:
    lines = [
        "Before others use it: write examples as people really ask (two dozen, in both languages), cues, and"
    ]
    lines.append("sentences for the labels." if classifies else "an `answer` of your own.")
    if with_prompts and classifies:
        lines.append("Say in the prompt files what each label means, and translate the Portuguese one.")
    if not with_prompts:
        lines.append("It has no prompt files, for these need examples of each label.")
    return "\n".join(lines)


def _sentences(labels: Sequence[str], shown: Sequence[str], beginning: str) -> str:
    lines = [
        f"            {_quoted(label)}: {_quoted(f'{beginning}: {name}.')},\n"
        for label, name in zip(labels, shown, strict=True)
    ]
    return "{\n" + "".join(lines) + "        }"


def _tuple(values: Sequence[str]) -> str:
    """A tuple as Python, one value a line when it is long."""
    quoted = [repr(value) if '"' in value and "'" not in value else _quoted(value) for value in values]
    line = f"({', '.join(quoted)}{',' if len(quoted) == 1 else ''})"
    if len(line) <= 80:
        return line
    return "(\n" + "".join(f"        {value},\n" for value in quoted) + "    )"


def _quoted(text: str) -> str:
    """A double-quoted string, the same in Python, TOML and YAML (no control characters get here but newline)."""
    return json.dumps(text, ensure_ascii=False)


def _line(what: str, text: str, longest: int) -> str:
    """The text on one line. Raises DataError for an empty or long one, or for control characters."""
    line = " ".join(text.split())
    if not line or len(line) > longest or not line.isprintable():
        raise DataError(f"The {what} is {text!r:.60}; expected one line of 1 to {longest} characters.")
    return line


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _package(name: str) -> str:
    return "onebase_" + name.replace("-", "_")


def _template(name: str) -> Template:
    folder = files("assistant.workshop") / "plugin_template"
    return Template((folder / f"{name}.template").read_text(encoding="utf-8"))
