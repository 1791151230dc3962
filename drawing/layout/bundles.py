"""Groups of steps that wait for the same steps: their arrows go through one junction (knot) instead of one for each pair.

Pure.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from drawing.graph_model import Arrow, Meaning

_MARK = "\0"  # no step's name has it


class Bundle(msgspec.Struct, frozen=True):
    """`arrows`: with knots as sources and targets; `knots`: their names."""

    arrows: tuple[Arrow, ...]
    knots: Mapping[str, Meaning]


def bundled(arrows: Sequence[Arrow]) -> Bundle:
    """The arrows, with a knot wherever it saves some: 20 steps that wait for the same 20 steps need 40 arrows, not 400."""
    kept: list[Arrow] = []
    knots: dict[str, Meaning] = {}
    for (meaning, sources), targets in _groups(arrows).items():
        if len(sources) * len(targets) <= len(sources) + len(targets) + 1:
            kept += [Arrow(source, target, meaning) for target in targets for source in sources]
            continue
        knot = f"{_MARK}{len(knots)}"
        knots[knot] = meaning
        kept += [Arrow(source, knot, meaning) for source in sources]
        kept += [Arrow(knot, target, meaning) for target in targets]
    return Bundle(tuple(kept), knots)


def _groups(arrows: Iterable[Arrow]) -> dict[tuple[Meaning, tuple[str, ...]], list[str]]:
    """Groups of targets that wait for the same sources under the same condition."""
    sources: dict[tuple[str, Meaning], list[str]] = {}
    for arrow in arrows:
        sources.setdefault((arrow.target, arrow.meaning), []).append(arrow.source)
    groups: dict[tuple[Meaning, frozenset[str]], tuple[tuple[str, ...], list[str]]] = {}
    for (target, meaning), found in sources.items():
        groups.setdefault((meaning, frozenset(found)), (tuple(found), []))[1].append(target)
    return {(meaning, ordered): targets for (meaning, _), (ordered, targets) in groups.items()}
