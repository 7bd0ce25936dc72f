"""How each application is answered on a causal base: by its LoRA adapter for this base, or else by its prompt file.

An application names one adapter folder, which is the embedded base's. Beside it, `adapters/<base>` holds what was
trained for this one (see docs/causal.md); where there is none, worked examples stand in the prompt.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assistant.applications import Application
from assistant.engine.adapters import WEIGHTS, read_method, read_tensors
from assistant.engine.base import AdapterInfo, BaseInfo
from assistant.engine.causal.model import BARE, CausalModel
from assistant.engine.causal.prompting import Prompting
from assistant.engine.manifest import CONFIG, FILE, Manifest, read_json, read_manifest
from assistant.errors import AdapterError, AssistantError
from assistant.prompts import Prompt, load_prompt

# Below this probability a prompt's answer is a guess. A prompt has no dev rows from which it could be chosen.
THRESHOLD = 0.5
# A LoRA of rank 16 on all linear layers of a base with 70 billion parameters is below this. Bytes.
MAX_LORA_BYTES = 1_000_000_000
# The folder inside an adapter folder with the prompt that it was trained with.
PROMPTS = "prompts"
_NAMES = {
    "en": "no adapter for {base}: prompt with {shots} worked example(s)",
    "pt": "nenhum adaptador para {base}: prompt com {shots} exemplo(s)",
}


@dataclass(frozen=True, eq=False)
class Skill:
    """One application in one language. `adapter` is PEFT's name of its LoRA, or that for none; `temperature` divides
    log-likelihoods."""

    info: AdapterInfo
    prompt: Prompt
    shots: int
    adapter: str = BARE
    temperature: float = 1.0

    @property
    def trained(self) -> bool:
        """Whether there is a LoRA adapter, so that worked examples and calibration by content-free input are out of
        place."""
        return self.adapter != BARE


class Skills:
    """Skills by adapter folder and language. Thread-safe."""

    def __init__(self, base: BaseInfo, model: CausalModel, prompting: Prompting, shots: int) -> None:
        self.base, self.model, self.prompting, self.shots = base, model, prompting, shots
        self._applications: dict[Path, Application] = {}
        self._skills: dict[tuple[Path, str], Skill] = {}
        self._lock = threading.Lock()

    def register(self, applications: Iterable[Application]) -> None:
        """Take in which application an adapter folder belongs to."""
        with self._lock:
            self._applications |= {a.adapter: a for a in applications if a.adapter is not None}

    def load(self) -> None:
        """Put the adapters of all applications on the base; one that cannot be used is told when it is asked for."""
        for folder in self._applications:
            with suppress(AssistantError):
                self.get(folder, "en")

    def get(self, folder: Path, language: str) -> Skill:
        """The skill of an adapter folder. Raises AdapterError, PromptError, and BaseModelError where the window is too
        small for the prompt."""
        with self._lock:
            skill = self._skills.get((folder, language))
            if skill is None:
                skill = self._skills[folder, language] = self._found(folder, language)
            return skill

    def _found(self, folder: Path, language: str) -> Skill:
        application = self._applications.get(folder)
        own = folder_for(folder, self.base.name)
        for candidate in (own, folder):
            if (candidate / FILE).is_file():
                manifest = read_manifest(candidate)
                if manifest.base.sha256 == self.base.sha256:
                    return self._trained(candidate, manifest, folder, application, language)
                if candidate == own or application is None:
                    raise AdapterError(
                        f"The adapter {candidate.name!r} was made for the base {manifest.base.name} "
                        f"({manifest.base.sha256[:8]}…); the loaded base is {self.base.name} ({self.base.sha256[:8]}…)."
                    )
        if application is None or application.prompts is None:
            read_json(folder, FILE)  # what is missing is said as for any adapter folder
            raise AdapterError(
                f"The adapter {folder.name!r} is not for {self.base.name}, and it has no prompt."
            )
        prompt = load_prompt(application.prompts, language)
        shots = self.prompting.shots(prompt, self.shots)
        said = _NAMES.get(language.partition("-")[0].lower(), _NAMES["en"])
        info = AdapterInfo(
            path=folder,
            name=said.format(base=self.base.name, shots=shots),
            method="prompt",
            task=application.task,
            labels=tuple(prompt.labels),
            threshold=THRESHOLD,
            parameters=0,
            bytes=0,
            metrics={},
            data=(),
            licence="",
        )
        return Skill(info, prompt, shots)

    def _trained(
        self,
        candidate: Path,
        manifest: Manifest,
        folder: Path,
        application: Application | None,
        language: str,
    ) -> Skill:
        prompts = candidate / PROMPTS
        if not prompts.is_dir() and application is not None and application.prompts is not None:
            prompts = application.prompts
        prompt = load_prompt(prompts, language)
        kind, _, _ = read_method(candidate, read_json(candidate, CONFIG))
        if kind != "lora":
            raise AdapterError(f"The adapter {candidate.name!r} is a {kind}; a causal base takes LORA only.")
        tensors = read_tensors(candidate, WEIGHTS, MAX_LORA_BYTES)
        if prompt.labels and set(prompt.labels) != set(manifest.labels):
            raise AdapterError(f"The adapter {candidate.name!r} has other labels than its prompt.")
        # PEFT uses the name as an attribute's: no dots, and no two folders alike.
        name = f"lora_{hashlib.sha256(str(candidate.resolve()).encode()).hexdigest()[:16]}"
        try:
            self.model.add_adapter(name, candidate)
        except (RuntimeError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0][:200]
            raise AdapterError(f"The adapter {candidate.name!r} does not fit the base: {reason}") from error
        count = sum(tensor.numel() for tensor in tensors.values())
        size = (candidate / WEIGHTS).stat().st_size
        info = manifest.info(folder, kind, count, size)
        return Skill(info, prompt, 0, name, manifest.temperature)


def folder_for(adapter: Path, base: str) -> Path:
    """Where the adapter for another base lies beside the embedded one's."""
    return adapter.parent / "adapters" / base
