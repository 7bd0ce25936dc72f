"""A plugin that registers what is no method."""

from assistant import hookimpl


@hookimpl
def register_methods():
    return ["lora"]
