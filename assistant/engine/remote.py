"""An engine elsewhere: any server that speaks OpenAI's HTTP interface (vLLM, llama.cpp, `transformers serve`, …).

It writes; everything else needs the model at hand. A LoRA adapter that the server has under an application's id is
asked for by `model=<id>`, as vLLM's `--lora-modules` has it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import httpx

from assistant.engine.base import AdapterInfo, BaseInfo, Engine, Message, Operation, Rendered, well_formed
from assistant.engine.examples import Examples
from assistant.errors import AdapterError, EngineError
from assistant.settings import SHOTS, Selection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.applications import Application
    from assistant.prompts import Prompt

# Seconds: to connect, between two pieces, and before the second attempt (twice as long before each further one).
CONNECT = 5.0
SILENCE = 60.0
PAUSE = 0.5
LONGEST_PAUSE = 10.0
ATTEMPTS = 4
# What a server says when it may well answer the next time.
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
# A line of a stream is no longer than this. Characters.
MAX_LINE = 1_000_000


class RemoteEngine(Engine):
    """`url` ends where `/chat/completions` is appended (`http://host:8000/v1`). `encoder` gives the embeddings; it is
    closed with this engine. Raises EngineError when the server does not tell its models or has not this one."""

    encoder: Engine
    operations: ClassVar[frozenset[Operation]] = frozenset({"embed", "generate"})

    def __init__(
        self,
        url: str,
        model: str,
        encoder: Engine,
        key: str = "",
        silence: float = SILENCE,
        sleep: Callable[[float], None] = time.sleep,
        shots: int = SHOTS,
        selection: Selection = "fixed",
    ) -> None:
        self.url, self.model, self.encoder, self.silence, self._sleep = (
            url.rstrip("/"), model, encoder, silence, sleep,
        )  # fmt: skip
        self.info = BaseInfo(model, "0" * 64, 0, "the server's", 0)
        self._ids: dict[Path, str] = {}
        self._shots = shots
        self._examples = Examples(encoder.embed if selection == "similar" else None)
        self._server = f"The server {self.url}"
        try:
            self._client = httpx.Client(
                base_url=self.url + "/",
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(silence, connect=CONNECT),
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise EngineError(f"{url!r} is no address of a server; expected http://host:port/v1.") from error
        try:
            self.models = self._models()
            if model not in self.models:
                names = ", ".join(sorted(self.models)) or "none"
                raise EngineError(f"{self._server} has no model {model!r}; it has: {names}.")
        except BaseException:
            self._client.close()
            raise
        # From here on the sentences reach visitors, whom the address is no business of.
        self._server = "The model's server"

    def close(self) -> None:
        """Close the connections, and the encoder."""
        self._client.close()
        self.encoder.close()

    def prepare(self, applications: Iterable[Application]) -> None:
        """See Engine. An application's id is what the server calls its adapter."""
        self._ids |= {a.adapter: a.id for a in applications if a.adapter is not None}

    def adapter(self, adapter: Path) -> AdapterInfo:
        """Raises UnsupportedTask: what adapters say of themselves stays on the server."""
        if not adapter.is_dir():
            raise AdapterError(f"There is no adapter folder {adapter.name!r}.")
        raise self._unsupported("tell of adapters")

    def embed(self, inputs: Sequence[str]) -> NDArray[np.float32]:
        """See Engine. The embedded encoder's."""
        return self.encoder.embed(inputs)

    def rendered(self, prompt: Prompt, fields: Mapping[str, str], max_tokens: int = 256) -> Rendered:
        """See Engine. How much the server reads is not known: nothing is cut."""
        texts = [fields[name] for name in prompt.fields if name in fields]
        (examples,) = self._examples.chosen(prompt, [texts], min(self._shots, len(prompt.shots)))
        return Rendered("".join(prompt.parts(fields, examples)), fields)

    def generate(
        self, prompt: str | Sequence[Message], adapter: Path | None = None, max_tokens: int = 256
    ) -> Iterator[str]:
        """See Engine. Closing the iterator closes the connection, upon which the server stops. Raises EngineError when
        the server refuses, falls silent, breaks off or talks nonsense."""
        if max_tokens < 1:
            return
        own = self._ids.get(adapter) if adapter is not None else None
        body: dict[str, Any] = {
            "model": own if own in self.models else self.model,
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
        }
        if isinstance(prompt, str):
            path, body["prompt"] = "completions", well_formed(prompt)
        else:
            path = "chat/completions"
            body["messages"] = [{"role": each.role, "content": well_formed(each.text)} for each in prompt]
        with self._answered("POST", path, body) as response:
            yield from self._pieces(response)

    def _models(self) -> frozenset[str]:
        with self._answered("GET", "models") as response:
            try:
                response.read()
                return frozenset(str(model["id"]) for model in response.json()["data"])
            except (ValueError, KeyError, TypeError) as error:
                raise self._nonsense("its list of models cannot be read") from error
            except httpx.HTTPError as error:
                raise self._broken(error) from error

    @contextmanager
    def _answered(self, method: str, path: str, body: Any = None) -> Iterator[httpx.Response]:
        """The open response of a server that says yes, after as many attempts as it takes."""
        for attempt in range(ATTEMPTS):
            last = attempt + 1 == ATTEMPTS
            try:
                response = self._client.send(self._client.build_request(method, path, json=body), stream=True)
            except httpx.TransportError as error:
                if last or isinstance(error, httpx.ReadTimeout | httpx.UnsupportedProtocol):
                    raise self._broken(error) from error
                self._sleep(PAUSE * 2**attempt)
                continue
            try:
                if response.is_success:
                    yield response
                    return
                if last or response.status_code not in _PASSING:
                    raise EngineError(f"{self._server} answers {response.status_code}{_reason(response)}.")
                self._sleep(_asked_pause(response) or PAUSE * 2**attempt)
            finally:
                response.close()

    def _pieces(self, response: httpx.Response) -> Iterator[str]:
        """The texts of a stream of server-sent events (WHATWG HTML, section 9.2)."""
        finished = False
        try:
            for line in response.iter_lines():
                if len(line) > MAX_LINE:
                    raise self._nonsense("a line of its answer does not end")
                name, _, data = line.partition(":")
                if name != "data":
                    continue
                if data.strip() == "[DONE]":
                    return
                text, ended = self._choice(data)
                finished = finished or ended
                if text:
                    yield text
        except httpx.HTTPError as error:
            raise self._broken(error) from error
        if not finished:
            raise EngineError(f"{self._server} broke off in the middle of its answer.")

    def _choice(self, data: str) -> tuple[str, bool]:
        """The text of one event and whether it is the last one."""
        try:
            event = json.loads(data)
            if event.get("error"):
                raise EngineError(f"{self._server} gave up: {str(event['error'])[:200]}")
            if not event["choices"]:
                return "", False  # figures on usage
            choice = event["choices"][0]
            text = choice["delta"].get("content") if "delta" in choice else choice.get("text")
            if not isinstance(text, str | None):
                raise TypeError("the text is none")
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise self._nonsense("a part of its answer cannot be read") from error
        return text or "", choice.get("finish_reason") is not None

    def _nonsense(self, what: str) -> EngineError:
        return EngineError(f"{self._server} does not speak OpenAI's interface: {what}.")

    def _broken(self, error: httpx.HTTPError) -> EngineError:
        if isinstance(error, httpx.TimeoutException):
            seconds = CONNECT if isinstance(error, httpx.ConnectTimeout) else self.silence
            return EngineError(f"{self._server} was silent for {seconds:g} seconds.")
        if isinstance(error, httpx.ConnectError):
            return EngineError(f"{self._server} cannot be reached: {error}.")
        return EngineError(f"{self._server} broke off ({type(error).__name__}).")


def _reason(response: httpx.Response) -> str:
    """What the server says about its refusal, shortened."""
    try:
        text = " ".join(response.read()[:2000].decode("utf-8", "replace").split())
    except httpx.HTTPError:
        return ""
    return f": {text[:200].rstrip('.')}" if text else ""


def _asked_pause(response: httpx.Response) -> float | None:
    """How long the server asks to wait (RFC 9110, section 10.2.3), bounded; a date is not read."""
    value = response.headers.get("retry-after", "")
    return min(float(value), LONGEST_PAUSE) if value.isdecimal() else None
