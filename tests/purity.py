"""Checks that a function is pure: equal arguments give equal results, and the arguments are not changed.

`pure(decide)` behaves like `decide`, but calls it on deeply frozen arguments, twice, and compares the results and the
arguments before and after. Use it wherever a test calls deciding code.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import wraps
from types import FunctionType, MethodType
from typing import Any, Final, NoReturn, ParamSpec, TypeVar

import msgspec

P = ParamSpec("P")
T = TypeVar("T")


MEMOS: Final = frozenset({"_eligible"})
"""Attributes that keep results of pure functions: filling them changes no result."""


class ArgumentChanged(AssertionError):
    """A function that must be pure has tried to change one of its arguments."""


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise ArgumentChanged("a pure function must not change its arguments")


class FrozenDict(dict[Any, Any]):
    """A dict that cannot be changed."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


class FrozenList(list[Any]):
    """A list that cannot be changed."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse


def frozen(value: Any, _known: dict[int, Any] | None = None) -> Any:
    """`value` with every dict and list in it replaced by one that cannot be changed.

    What holds no dict or list stays the same object, and what was one object stays one: code may compare identities.
    """
    known = {} if _known is None else _known
    if id(value) not in known:
        known[id(value)] = _frozen(value, known)
    return known[id(value)]


def _frozen(value: Any, known: dict[int, Any]) -> Any:
    if type(value) is dict:
        return FrozenDict({key: frozen(each, known) for key, each in value.items()})
    if type(value) is list:
        return FrozenList(frozen(each, known) for each in value)
    if type(value) is tuple:
        made = tuple(frozen(each, known) for each in value)
        return made if any(one is not other for one, other in zip(made, value, strict=True)) else value
    if isinstance(value, msgspec.Struct):
        changed = _frozen_fields(value, value.__struct_fields__, known)
        return msgspec.structs.replace(value, **changed) if changed else value
    if is_dataclass(value) and not isinstance(value, type) and all(field.init for field in fields(value)):
        changed = _frozen_fields(value, [field.name for field in fields(value)], known)
        return replace(value, **changed) if changed else value
    return value


def _frozen_fields(value: Any, names: Any, known: dict[int, Any]) -> dict[str, Any]:
    made = {name: frozen(getattr(value, name), known) for name in names}
    return {name: each for name, each in made.items() if each is not getattr(value, name)}


def snapshot(value: Any, _path: frozenset[int] = frozenset()) -> Any:
    """A copy of everything reachable from `value`, to compare with.

    The order of mappings does not count, as in JSON. Attributes in MEMOS are left out.
    """
    if value is None or isinstance(value, str | bytes | int | float | Enum | type | FunctionType | MethodType):
        return value
    if id(value) in _path:
        return "a cycle"
    path = _path | {id(value)}
    if isinstance(value, Mapping):
        pairs = [(snapshot(key, path), snapshot(each, path)) for key, each in value.items()]
        return "mapping", sorted(pairs, key=lambda pair: repr(pair[0]))
    if isinstance(value, list | tuple):
        return "sequence", [snapshot(each, path) for each in value]
    if isinstance(value, AbstractSet):
        return "set", sorted(repr(snapshot(each, path)) for each in value)
    return type(value).__name__, {name: snapshot(getattr(value, name), path) for name in _attributes(value)}


def _attributes(value: Any) -> list[str]:
    names = list(getattr(value, "__struct_fields__", ())) or [*getattr(value, "__dict__", ())]
    slots = [name for kind in type(value).__mro__ for name in _slots(kind)]
    return [name for name in (names or slots) if name not in MEMOS and hasattr(value, name)]


def _slots(kind: type) -> tuple[str, ...]:
    names = kind.__dict__.get("__slots__", ())
    return (names,) if isinstance(names, str) else tuple(names)


def pure(function: Callable[P, T]) -> Callable[P, T]:
    """`function`, with the check that it is pure at every call. The result is that of the last call."""

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        args_, kwargs_ = frozen((args, kwargs))
        before = snapshot((args_, kwargs_))
        first = function(*args_, **kwargs_)
        kept = snapshot(first)
        second = function(*args_, **kwargs_)
        assert snapshot((args_, kwargs_)) == before, f"{function.__name__} has changed its arguments"
        assert snapshot(first) == kept, f"the second call of {function.__name__} has changed the result of the first"
        assert snapshot(second) == kept, f"{function.__name__} returned two different results for equal arguments"
        return second

    return checked
