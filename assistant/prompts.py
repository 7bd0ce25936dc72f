"""Prompt files: what a task is, in words, for a base model that was not trained on it.

The same file serves a causal base as a zero-shot or few-shot prompt (`render`), and an encoder base as
zero-shot (entailment of a hypothesis per label: Yin, Hay & Roth 2019, arXiv 1909.00161) or few-shot (nearest
prototype of the shots). It is strict YAML with `string.Template` placeholders: data, never code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from string import Template
from typing import Annotated, Any

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from assistant.errors import InputError, PromptError

MAX_BYTES = 256_000
MIN_SHOTS = 8
FALLBACK = "en"

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Label(_Strict):
    """A label for people: its word in the prompt's language, one sentence, and a hypothesis if the common one
    does not suit."""

    name: Filled
    description: Filled
    hypothesis: Filled | None = None


class Shot(_Strict):
    """A worked example: a text for each field, and the label's id or, in a prompt without labels, the answer."""

    input: dict[str, Filled]
    label: str = ""
    answer: Filled = ""

    def __hash__(self) -> int:
        return hash((*self.input.items(), self.label, self.answer))


class Prompt(_Strict):
    """One application's prompt in one language.

    `fields` are the payload's parts. `template` lays out one input: it has a `$placeholder` for each field
    and ends with the cue for the answer. `hypothesis` has a `$label`. `labels` keeps its order everywhere.
    A task whose answers are texts of their own has neither: its shots give an `answer` instead of a `label`.
    """

    version: Filled
    language: Filled
    title: Filled
    description: Filled
    instruction: Filled
    fields: Annotated[tuple[Identifier, ...], Field(min_length=1, strict=False)]
    labels: Annotated[dict[Identifier, Label], Field(min_length=2)] = {}
    hypothesis: Filled = ""
    template: Filled
    shots: Annotated[tuple[Shot, ...], Field(min_length=MIN_SHOTS, strict=False)]

    @model_validator(mode="after")
    def _consistent(self) -> Prompt:
        """The parts fit each other: placeholders, labels and fields. Errors begin with the key."""
        if len(set(self.fields)) < len(self.fields):
            raise ValueError(f"fields is {list(self.fields)}; expected each name once")
        _check_template("template", self.template, self.fields)
        if bool(self.hypothesis) != bool(self.labels):
            raise ValueError("labels come with a hypothesis; expected both or neither")
        if self.hypothesis:
            _check_template("hypothesis", self.hypothesis, ("label",))
        for key, label in self.labels.items():
            if label.hypothesis:
                _check_template(f"labels.{key}.hypothesis", label.hypothesis, ("label",), needed=False)
        _check_once("labels.{}.name", {key: label.name.casefold() for key, label in self.labels.items()})
        for number, shot in enumerate(self.shots):
            if self.labels and shot.label not in self.labels:
                value = _shortened(repr(shot.label))
                raise ValueError(f"shots.{number}.label is {value}; expected one of {_all(self.labels)}")
            if bool(shot.answer) == bool(self.labels) or bool(shot.label) != bool(self.labels):
                expected = "a label and no answer" if self.labels else "an answer and no label"
                raise ValueError(f"shots.{number} does not fit the prompt; expected {expected}")
            if set(shot.input) != set(self.fields):
                names = _shortened(_all(shot.input))
                raise ValueError(f"shots.{number}.input has {names}; expected {_all(self.fields)}")
        _check_once("shots.{}.input", {n: tuple(sorted(s.input.items())) for n, s in enumerate(self.shots)})
        unshown = [key for key in self.labels if key not in {shot.label for shot in self.shots}]
        if unshown:
            raise ValueError(f"shots has none for {_all(unshown)}; expected at least one per label")
        return self

    def hypotheses(self) -> dict[str, str]:
        """For each label the sentence that has to follow from the input, if the label is right."""
        return {
            key: Template(label.hypothesis or self.hypothesis).substitute(label=label.name)
            for key, label in self.labels.items()
        }

    def select_shots(self, k: int, similarity: Sequence[float] | None = None) -> tuple[Shot, ...]:
        """`k` shots in the file's order, as many of each label as of any other, give or take one.

        Within a label the first ones of the file are taken; a label that has run out leaves its share to the
        others. Without labels they are the file's first. With the `similarity` of each shot they are the most similar
        ones, whatever their labels, and the most similar stands last. Raises InputError when the file has fewer than
        `k`.
        """
        if not 0 <= k <= len(self.shots):
            raise InputError(f"{k} shots were asked for; expected 0 to {len(self.shots)}.")
        if similarity is not None:
            nearest = sorted(range(len(self.shots)), key=lambda n: -similarity[n])[:k]
            return tuple(self.shots[n] for n in reversed(nearest))
        of_label = [
            [n for n, shot in enumerate(self.shots) if shot.label == key] for key in self.labels or ("",)
        ]
        # The first of each label, then the second of each, …
        turns = [n for n in chain.from_iterable(zip_longest(*of_label)) if n is not None]
        return tuple(self.shots[n] for n in sorted(turns[:k]))

    def render(self, fields: Mapping[str, str], shots: int = 0) -> str:
        """The prompt for a causal model: instruction, labels, `shots` worked examples, then the input."""
        return "".join(self.parts(fields, self.select_shots(shots)))

    def parts(self, fields: Mapping[str, str], examples: Sequence[Shot] = ()) -> tuple[str, str, str]:
        """The prompt in three: instruction with labels, which every input shares; the examples, which many may share;
        the input with its cue.

        Each text stands between fences, longer than any run of backticks in the texts (CommonMark 0.31,
        section 4.5), so no text can end its own block and pose as an instruction. Raises InputError for other
        fields than the prompt's.
        """
        if set(fields) != set(self.fields):
            raise InputError(f"The prompt was given {_all(fields)}; expected {_all(self.fields)}.")
        texts = [text for values in (fields, *(shot.input for shot in examples)) for text in values.values()]
        longest = max((len(run) for text in texts for run in re.findall("`+", text)), default=0)
        fence = "`" * max(3, longest + 1)

        def laid_out(values: Mapping[str, str]) -> str:
            return Template(self.template).substitute(
                {name: f"{fence}\n{text}\n{fence}" for name, text in values.items()}
            )

        labels = "\n".join(f"- {label.name}: {label.description}" for label in self.labels.values())
        told = [self.instruction, labels] if labels else [self.instruction]
        worked = [f"{laid_out(shot.input)} {self._answer(shot)}" for shot in examples]

        def apart(parts: Iterable[str]) -> str:
            return "".join(f"{part}\n\n" for part in parts)

        return apart(told), apart(worked), laid_out(fields)

    def _answer(self, shot: Shot) -> str:
        return self.labels[shot.label].name if self.labels else shot.answer


def load_prompt(folder: Path, language: str) -> Prompt:
    """Read `folder/<language>.yaml`; where it is missing, `pt` serves for `pt-BR`, and English for any other.

    Raises PromptError, naming file, key, value and what is expected, when the file breaks the schema, and
    when there is none.
    """
    known = [language, language.partition("-")[0]] if _LANGUAGE.fullmatch(language) else []
    for candidate in (*known, FALLBACK):
        path = folder / f"{candidate}.yaml"
        if path.is_file():
            return _parse(_read(path), path)
    raise PromptError(f"{folder.name} has no prompt file; expected {FALLBACK}.yaml or one for {language!r}.")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise PromptError(f"{_shown(path)} has more than {MAX_BYTES:,} bytes; expected a shorter file.")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise PromptError(f"{_shown(path)} cannot be opened: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise PromptError(f"{_shown(path)} has byte {data[error.start]:#x}; expected UTF-8.") from error


def _parse(text: str, path: Path) -> Prompt:
    try:
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506  (a SafeLoader)
    except Exception as error:  # PyYAML also leaks ValueError, OverflowError and RecursionError
        raise PromptError(f"{_shown(path)} is no valid YAML: {_yaml_reason(error)}.") from error
    try:
        prompt = Prompt.model_validate(content)
    except ValidationError as error:
        raise PromptError(f"{_shown(path)}: {_schema_reason(error)}.") from error
    if prompt.language != path.stem:
        raise PromptError(f"{_shown(path)}: language is {prompt.language!r}; expected {path.stem!r}.")
    return prompt


class _StrictLoader(yaml.SafeLoader):
    """The loader of `yaml.safe_load`, for text, lists and mappings only.

    Nothing is guessed (`no`, `1.10` and `2026-01-01` are text). Refused are tags, aliases (a few lines of
    them unfold into gigabytes) and repeated keys (all but the last would be lost without a word).
    """

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (declared so by PyYAML)

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.tag is not None:
            found = "an alias" if isinstance(event, yaml.AliasEvent) else f"the tag {event.tag!r}"
            raise yaml.MarkedYAMLError(problem=f"found {found}", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.MarkedYAMLError(problem=f"found {key.value!r} twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _yaml_reason(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and (mark := error.problem_mark):
        return f"{_shortened(error.problem)} in line {mark.line + 1}, column {mark.column + 1}"
    return _shortened(" ".join(str(error).split()) or type(error).__name__)


def _schema_reason(error: ValidationError) -> str:
    """The first error as `key is value; expected …`."""
    first, *others = error.errors(include_url=False)
    key = _shortened(".".join(map(str, first["loc"])) or "the file")
    value = _shortened(repr(first["input"]))
    match first["type"]:
        case "value_error":  # from this module, complete
            reason = str(first["ctx"]["error"])
        case "extra_forbidden":
            reason = f"{key} is {value}, an unknown key; expected one of {_all(_keys(first['loc']))}"
        case "missing":
            reason = f"{key} is missing; expected {_all(_keys(first['loc']))}"
        case _:
            reason = f"{key} is {value}: {first['msg'][0].lower() + first['msg'][1:]}"
    return f"{reason} (and {len(others)} more)" if others else reason


def _keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys of the model in which an error was found: `("shots", 3, "lable")` is one in a Shot."""
    models: dict[int | str, type[BaseModel]] = {"labels": Label, "shots": Shot}
    model = models.get(location[0], Prompt) if len(location) > 1 else Prompt
    return list(model.model_fields)


def _check_template(key: str, template: str, names: tuple[str, ...], needed: bool = True) -> None:
    """Every placeholder is one of `names`, and every name (if `needed`) has one. Raises ValueError."""
    marks = {name: f"\0{name}\0" for name in names}
    try:
        filled = Template(template).substitute(marks)
    except KeyError as error:
        expected = " and ".join(f"${name}" for name in names)
        raise ValueError(f"{key} has the placeholder ${error.args[0]}; expected only {expected}") from None
    except ValueError:
        raise ValueError(f"{key} has a lone '$'; expected $name, or $$ for the sign itself") from None
    missing = [f"${name}" for name, mark in marks.items() if mark not in filled]
    if missing and needed:
        raise ValueError(f"{key} is {template!r}; expected a placeholder {_all(missing)}")


def _check_once(key: str, values: Mapping[Any, object]) -> None:
    """No two entries have the same value. Raises ValueError."""
    first: dict[object, Any] = {}
    for entry, value in values.items():
        if value in first:
            raise ValueError(f"{key.format(entry)} repeats {key.format(first[value])}; expected it only once")
        first[value] = entry


def _all(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


def _shown(path: Path) -> str:
    """Enough of the path to find the file; not where it lies on this machine."""
    return f"{path.parent.name}/{path.name}"
