"""Objects as YAML, as people would write them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from shared.model.types import ReadOnlyBody


def as_yaml(bodies: Sequence[ReadOnlyBody]) -> str:
    """One YAML document for each object."""
    import yaml  # takes 20 ms, and most programs that can write YAML do not

    return "---\n".join(yaml.dump(body, Dumper=_dumper(), sort_keys=False, allow_unicode=True) for body in bodies)


@cache
def _dumper() -> Any:
    import yaml

    class Plain(yaml.SafeDumper):
        """Writes no anchors, and strings of several lines as block scalars."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Plain.add_representer(str, text)
    return Plain
