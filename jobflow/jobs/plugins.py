"""Plugins of a Job: what the controller sets up between its pods."""

import msgspec

from jobflow.manifests.json_values import as_text


class Plugin(msgspec.Struct, frozen=True):
    """A plugin with its arguments, as Volcano writes them: `--port=22`."""

    name: str
    arguments: tuple[str, ...] = ()


def plugin(name: str, **options: str | int | bool) -> Plugin:
    """`plugin("pytorch", port=23456)`: an option `wait_master` becomes `--wait-master`."""
    said = (f"--{key.replace('_', '-')}={as_text(value)}" for key, value in options.items())
    return Plugin(name, tuple(said))
