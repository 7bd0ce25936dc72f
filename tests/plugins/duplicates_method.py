"""A plugin whose method has the id of a built-in one."""

from assistant import Method, hookimpl


class Mine(Method):
    id, title, description = "lora", "Mine", "Takes a name that is taken."

    def fit(self, task, watch):
        raise NotImplementedError


@hookimpl
def register_methods():
    return [Mine()]
