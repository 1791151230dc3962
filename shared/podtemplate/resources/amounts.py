"""`resources` of containers: names, quantities, and requests compared with limits.

Kubernetes: ValidateContainerResourceRequirements.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from shared.podtemplate.field import Field
from shared.podtemplate.formats import qualified_name
from shared.quantity import Quantity, QuantityError, quantity
from shared.violation import Violation

_COMPUTE: Final = ("cpu", "memory")
_NATIVE: Final = ("cpu", "memory", "ephemeral-storage")
_HUGE_PAGES: Final = "hugepages-"
_KUBERNETES: Final = "kubernetes.io/"


def resources(field: Field, others: Iterable[str] = ()) -> Iterator[Violation]:
    """Requests and limits of one container. `others`: resources that are requested elsewhere."""
    if not field.present:
        return
    limits, requests = field.get("limits"), field.get("requests")
    for side in (limits, requests):
        for name in side.keys:
            yield from _name(side.key(name), name)
    allowed: dict[str, Quantity] = {}
    yield from _amounts(limits, allowed)
    wanted: dict[str, Quantity] = {}
    yield from _amounts(requests, wanted)
    for name, amount in wanted.items():
        yield from _within(limits, requests, name, amount, allowed.get(name))
    names = {*limits.keys, *requests.keys}
    if any(name.startswith(_HUGE_PAGES) for name in names) and not {*names, *others} & set(_COMPUTE):
        yield field.forbidden("HugePages require cpu or memory")


def above_zero_amount(field: Field) -> Iterator[Violation]:
    """A quantity greater than 0."""
    read: dict[str, Quantity] = {}
    yield from _read(field, "", read)
    if "" in read and read[""].nanos <= 0:
        yield field.invalid("must be greater than zero")


def amounts_of(side: Field) -> dict[str, Quantity]:
    """The valid quantities of `limits` or `requests` by resource."""
    read: dict[str, Quantity] = {}
    for name in side.keys:
        list(_read(side.key(name), name, read))
    return read


def size_limit(field: Field) -> Iterator[Violation]:
    """The size of an emptyDir: a quantity, not negative."""
    read: dict[str, Quantity] = {}
    yield from _read(field, "", read)
    if read.get("", Quantity(0)).nanos < 0:
        yield field.forbidden("SizeLimit field must be a valid resource quantity")


def _name(field: Field, name: str) -> Iterator[Violation]:
    faults = [Violation(field.path, message, name) for message in qualified_name(name)]
    yield from faults
    if not faults and "/" not in name and name not in _NATIVE and not name.startswith(_HUGE_PAGES):
        yield Violation(field.path, "must be a standard resource for containers", name)
    elif not faults and name.startswith("requests."):
        yield Violation(field.path, "doesn't follow extended resource name standard", name)


def _amounts(side: Field, read: dict[str, Quantity]) -> Iterator[Violation]:
    for name in side.keys:
        field = side.key(name)
        yield from _read(field, name, read)
        if name not in read:
            continue
        if read[name].nanos < 0:
            yield Violation(field.path, "must be greater than or equal to 0", str(read[name]))
        if _extended(name) and read[name].milli % 1000:
            yield field.invalid("must be an integer")
        yield from _whole_pages(field, name, read[name])


def _read(field: Field, name: str, read: dict[str, Quantity]) -> Iterator[Violation]:
    try:
        read[name] = quantity(field.value)
    except QuantityError as error:
        if isinstance(field.value, str):
            yield field.invalid(str(error))


def _whole_pages(field: Field, name: str, amount: Quantity) -> Iterator[Violation]:
    if not name.startswith(_HUGE_PAGES):
        return
    try:
        page = quantity(name.removeprefix(_HUGE_PAGES))
    except QuantityError:
        page = Quantity(0)
    if page.nanos <= 0 or not page.is_integer or amount.value % page.value:
        yield field.invalid(f"{amount} is not positive integer multiple of {name}")


def _within(limits: Field, requests: Field, name: str, amount: Quantity, limit: Quantity | None) -> Iterator[Violation]:
    fixed = _extended(name) or name.startswith(_HUGE_PAGES)
    if limit is None:
        if fixed and not _present(limits.value, name):
            yield limits.required("Limit must be set for non overcommitable resources")
    elif fixed and amount.nanos != limit.nanos:
        yield Violation(requests.path, f"must be equal to {name} limit of {limit}", str(amount))
    elif amount.nanos > limit.nanos:
        yield Violation(requests.path, f"must be less than or equal to {name} limit of {limit}", str(amount))


def _present(limits: object, name: str) -> bool:
    return isinstance(limits, Mapping) and name in limits


def _extended(name: str) -> bool:
    return "/" in name and _KUBERNETES not in name
