"""A plugin whose method has the id of a built-in one."""

from assistant import hookimpl
from assistant.workshop.methods.few_shot import FewShot


class Mine(FewShot):
    id, title, description = "lora", "Mine", "Takes a name that is taken."


@hookimpl
def register_methods():
    return [Mine()]
