"""The errors of this project: one small tree; the type says who sees the message.

    AssistantError            its message is shown to the person as it stands
    ├── InputError            the message, or a field of a row, cannot be worked on
    │   ├── DocumentError     an attached file cannot be read
    │   └── RateLimitError    one visitor sends too much at a time
    ├── DataError             a file of training, evaluation or prediction rows cannot be used
    ├── PromptError           a prompt file breaks the schema
    ├── PluginError           a plugin failed; names the plugin
    └── EngineError           the engine cannot do what was asked
        ├── BaseModelError    the base model is missing or is not the one that was expected
        ├── AdapterError      an adapter folder is missing, damaged or foreign
        └── UnsupportedTask   this engine has no such operation

Every message is one sentence (two at most) that names what was wrong, the value, and what is expected.
Anything that is not an AssistantError is a defect: `core` logs it and tells the person so without detail.
"""


class AssistantError(Exception):
    """An error whose message is written for the person who caused or can mend it."""


class InputError(AssistantError):
    """The message, or a field of a row, cannot be worked on."""


class DocumentError(InputError):
    """An attached file cannot be read: wrong type, damaged, encrypted or over a limit."""


class RateLimitError(InputError):
    """One visitor sends too much at a time; in `seconds` they may go on."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class DataError(AssistantError):
    """A file of training, evaluation or prediction rows cannot be used."""


class PromptError(AssistantError):
    """A prompt file breaks the schema."""


class PluginError(AssistantError):
    """A plugin failed. The message names the plugin and what it did."""


class EngineError(AssistantError):
    """The engine cannot do what was asked."""


class BaseModelError(EngineError):
    """The base model is missing or is not the one that was expected."""


class AdapterError(EngineError):
    """An adapter folder is missing, damaged, over a limit or made for another base."""


class UnsupportedTask(EngineError):  # noqa: N818  (reads as what it is, like the field's NotSupported)
    """This engine has no such operation."""
