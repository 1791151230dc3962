"""The items of a loop, as its spec writes them out. Pure."""

from collections.abc import Iterable, Mapping

from shared.model.types import Body


def item_texts(loop: Body, indexes: Iterable[int]) -> Mapping[int, str]:
    """The items of these iterations for people. Items of expressions and of `while` are not known here: they have none."""
    found = ((index, _item(loop, index)) for index in indexes)
    return {index: text for index, text in found if text}


def _item(loop: Body, index: int) -> str:
    if items := loop.get("items"):
        return _text(items[index]) if index < len(items) else ""
    if matrix := loop.get("matrix"):
        return _text(_of_matrix(matrix, index))
    if wanted := loop.get("range"):
        numbers = range(int(wanted.get("start") or 0), int(wanted["end"]), int(wanted.get("step") or 1))
        return str(numbers[index]) if index < len(numbers) else ""
    return ""


def _of_matrix(matrix: Mapping[str, list[str]], index: int) -> Body:
    """As in the controller: keys sorted, the last one changes first."""
    found: dict[str, str] = {}
    for key in sorted(matrix, reverse=True):
        if not matrix[key]:
            return {}
        index, place = divmod(index, len(matrix[key]))
        found[key] = matrix[key][place]
    return {} if index else dict(sorted(found.items()))


def _text(item: object) -> str:
    if isinstance(item, dict):
        return ", ".join(f"{key}={value}" for key, value in item.items())
    return str(item)
