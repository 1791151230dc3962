"""Parses YAML as kubectl does and keeps the line of every field. Duplicate keys are errors."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import yaml
from yaml.constructor import SafeConstructor

from webhook.lint.places import Place, parts
from webhook.lint.yaml_scalars import MERGE, key_text, loader, scalar_value

_MOST: Final = 2_000_000  # maximum number of values in a document after its aliases are expanded
_DEEPEST: Final = 200


class YamlFault(Exception):
    """The text is not YAML that can be sent to the API server."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class Document(msgspec.Struct, frozen=True):
    """One document: its JSON value and the positions of its parts. `faults`: keys that are set twice; the last value
    counts, as in kubectl.
    """

    body: Any
    node: Any
    faults: tuple[YamlFault, ...] = ()

    def place(self, path: str) -> Place:
        """The position of a field such as `spec.flows[3].dependsOn`; for a missing field, of its nearest parent."""
        node, mark = self.node, self.node.start_mark
        for part in parts(path):
            found = _child(node, part)
            if found is None:
                break
            mark, node = found
        return _place(mark)

    def item(self, index: int) -> "Document":
        """An item of a List. As in kubectl, items of a JobFlowList do not need a type of their own."""
        found = next(value for key, value in reversed(self.node.value) if key.value == "items")
        body, kind = self.body["items"][index], str(self.body.get("kind")).removesuffix("List")
        if kind and isinstance(body, dict) and not (body.get("apiVersion") or body.get("kind")):
            body = {"apiVersion": self.body.get("apiVersion"), "kind": kind, **body}
        return Document(body, found.value[index])


def documents(text: str) -> Iterator[Document | YamlFault]:
    """Every document that is not empty, or its fault. Raises YamlFault if the rest of the text cannot be parsed."""
    if text.lstrip()[:1] in ("{", "["):
        text = text.replace("\t", " ")  # JSON can be indented by tabs, which YAML does not allow
    reader = loader(text.removeprefix("\ufeff"))
    try:
        while reader.check_node():
            found = _document(reader.get_node())
            if found is not None:
                yield found
    except yaml.MarkedYAMLError as error:
        raise YamlFault(error.problem or str(error), _place(error.problem_mark)) from error
    except yaml.reader.ReaderError as error:
        raise YamlFault(f"character {error.character!r} is not allowed", Place()) from error
    except RecursionError as error:
        raise YamlFault("nested too deeply", Place()) from error
    finally:
        reader.dispose()


def _document(node: Any) -> Document | YamlFault | None:
    try:
        _check_size(node)
        builder = _Builder()
        body = builder.build(node)
    except YamlFault as fault:
        return fault
    return None if body is None else Document(body, node, tuple(builder.faults))


class _Builder:
    """Converts a node to its JSON value. Aliases are converted once and shared."""

    def __init__(self) -> None:
        self.faults: list[YamlFault] = []
        self._maps = SafeConstructor()
        self._built: dict[int, Any] = {}

    def build(self, node: Any) -> Any:
        if id(node) not in self._built:
            self._built[id(node)] = self._value(node)
        return self._built[id(node)]

    def _value(self, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            self.faults += _repeated(node)
            self._maps.flatten_mapping(node)
            return {_key(key): self.build(value) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item) for item in node.value]
        return _read(node, scalar_value)


def _repeated(node: Any) -> Iterator[YamlFault]:
    """The keys of a mapping that are set before. Raises YamlFault if a key cannot be one."""
    seen: dict[str, Any] = {}
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag == MERGE:
            continue
        name = _key(key)
        if name in seen:
            first = _place(seen[name].start_mark).line
            yield YamlFault(f'key "{name}" is set twice (first on line {first})', _place(key.start_mark))
        seen[name] = key


def _key(node: Any) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise YamlFault("a key must be a string", _place(node.start_mark))
    text: str = _read(node, key_text)
    return text


def _read(node: Any, reading: Callable[[Any], Any]) -> Any:
    try:
        return reading(node)
    except ValueError as error:
        raise YamlFault(f'"{node.value}" {error}', _place(node.start_mark)) from error


def _check_size(root: Any) -> None:
    """Raises YamlFault if aliases expand to a huge or infinite document."""
    sizes: dict[int, int] = {}
    under_way: set[int] = set()

    def size(node: Any, depth: int) -> int:
        if isinstance(node, yaml.ScalarNode):
            return 1
        if id(node) in under_way:
            raise YamlFault("an alias contains itself", _place(node.start_mark))
        if depth > _DEEPEST:
            raise YamlFault("nested too deeply", _place(node.start_mark))
        if id(node) not in sizes:
            under_way.add(id(node))
            children = (value for _, value in node.value) if isinstance(node, yaml.MappingNode) else node.value
            sizes[id(node)] = 1 + sum(size(child, depth + 1) for child in children)
            under_way.discard(id(node))
        if sizes[id(node)] > _MOST:
            raise YamlFault("aliases make the document too large", _place(node.start_mark))
        return sizes[id(node)]

    size(root, 0)


def _child(node: Any, part: str) -> tuple[Any, Any] | None:
    """(position, node) of one part below `node`."""
    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark, value) for key, value in reversed(node.value) if _key(key) == part), None)
    if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item.start_mark, item
    return None


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark is not None else Place()
