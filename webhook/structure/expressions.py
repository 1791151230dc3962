"""CEL expressions about a graph whose nodes are the elements of a list: unique names, existing targets, no cycle.

CEL has no loops, so each round of an algorithm is a variable of the policy:

- `left0` to `leftN`: nodes without targets among the remaining ones are removed, N times. A graph of at most N layers is
  then gone, and has no cycle. Nothing is removed from a list in which every node comes after its targets.
- `hop0` to `hopM`: of what remains, each node's chosen target, and the one 2, 4, ... 2**M hops further. A node from which
  that many hops lead on, which are more than there are nodes, leads into a cycle.

Every refusal is right. A cycle is missed only in a graph of more than N layers, where no chosen target leads into it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

ROUNDS: Final = 24
DOUBLINGS: Final = 8
SHOWN: Final = 20  # nodes of a cycle in a message
MOST_TEXT: Final = 4000  # characters; the API server drops a longer message than 5 KiB
LABEL: Final = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"

Variable = tuple[str, str]


class GraphFields(msgspec.Struct, frozen=True):
    """Where a kind keeps its graph. `nodes`: CEL of the list; `name` and `targets`: CEL of a node `n`.

    `path`: of the list, `what`: a node, `field`: its targets, in messages.
    """

    nodes: str
    name: str
    targets: str
    path: str
    what: str
    field: str


def variables(graph: GraphFields) -> list[Variable]:
    """Names and expressions of the policy's variables, in order. `faults` is a list of sentences."""
    return [
        ("nodes", graph.nodes),
        ("names", f"variables.nodes.map(n, {graph.name})"),
        ("ordered", _ordered(graph)),
        *_rounds(graph),
        ("leftNames", f"variables.left{ROUNDS}.map(n, {graph.name})"),
        (
            "remaining",
            f"variables.left{ROUNDS}.map(n, {graph.targets}.filter(t, t in variables.leftNames))",
        ),
        *_hops("first", "0"),
        *_hops("last", "size(l) - 1"),
        *_cycle(),
        ("faults", _faults(graph)),
    ]


def size_limit(graph: GraphFields, nodes: int, edges: int) -> str:
    """CEL of a matchCondition: whether the graph is small enough for the API server's limits on expressions."""
    count = f"{graph.nodes}.map(n, size({graph.targets})).sum()"
    return f"size({graph.nodes}) <= {nodes} && {count} <= {edges}"


def _ordered(graph: GraphFields) -> str:
    """Whether every node stands behind its targets, which needs no rounds."""
    name = graph.name
    return (
        f"variables.nodes.all(n, {graph.targets}.all(t, variables.names.indexOf(t) < variables.names.indexOf({name})))"
    )


def _rounds(graph: GraphFields) -> Iterator[Variable]:
    """Once a round removes nothing, the others keep what it got."""
    yield "left0", "variables.ordered ? variables.nodes.filter(n, false) : variables.nodes"
    for at in range(ROUNDS):
        left = f"variables.left{at}"
        yield f"names{at}", f"{left}.map(n, {graph.name})"
        remaining = f"{left}.filter(n, {graph.targets}.exists(t, t in variables.names{at}))"
        done = f"size({left}) == size(variables.left{at - 1}) ? {left} : " if at else ""
        yield f"left{at + 1}", done + remaining


def _hops(way: str, which: str) -> Iterator[Variable]:
    """`which`: CEL of the position of the chosen target among the remaining targets `l` of a node."""
    yield (
        f"{way}0",
        f"variables.remaining.map(l, size(l) == 0 ? -1 : variables.leftNames.indexOf(l[{which}]))",
    )
    for at in range(DOUBLINGS):
        before = f"variables.{way}{at}"
        yield f"{way}{at + 1}", f"{before}.map(i, i < 0 ? -1 : {before}[i])"


def _cycle() -> Iterator[Variable]:
    """`cycle`: nodes of one cycle in the order in which they would run, as "a -> b -> a"; "" if none was found."""
    last, first = f"variables.last{DOUBLINGS}", f"variables.first{DOUBLINGS}"
    yield "byFirst", f"{first}.exists(i, i >= 0)"
    yield "hop", "variables.byFirst ? variables.first0 : variables.last0"
    found = f"{first}.filter(i, i >= 0) + {last}.filter(i, i >= 0)"
    yield "found", found
    yield "at0", "size(variables.found) == 0 ? -1 : variables.found[0]"
    for step in range(SHOWN):
        yield f"at{step + 1}", f"variables.at{step} < 0 ? -1 : variables.hop[variables.at{step}]"
    walk = ", ".join(f"variables.at{step}" for step in range(SHOWN + 1))
    yield "walk", f"[{walk}]"
    steps = ", ".join(str(step) for step in range(1, SHOWN + 1))
    yield "returns", f"[{steps}].filter(k, variables.walk[k] == variables.at0)"
    yield "length", f"size(variables.returns) == 0 ? {SHOWN} : variables.returns[0]"
    backwards = ", ".join(str(step) for step in range(SHOWN, -1, -1))
    yield (
        "cycle",
        (
            f"variables.at0 < 0 ? '' : (size(variables.returns) == 0 ? '... -> ' : '') + "
            f"[{backwards}].filter(k, k <= variables.length).map(k, variables.leftNames[variables.walk[k]]).join(' -> ')"
        ),
    )


def _faults(graph: GraphFields) -> str:
    parts = [
        f"(size(variables.nodes) == 0 ? ['{graph.path}: at least one {graph.what} is required'] : [])",
        (
            f"variables.nodes.filter(n, size({graph.name}) > 63 || !{graph.name}.matches('{LABEL}'))"
            f""".map(n, '{graph.path}: "' + {graph.name} + '" is not a name of a {graph.what}: use at most 63 lower case """
            "letters, digits and -')"
        ),
        (
            f"variables.nodes.filter(n, variables.names.indexOf({graph.name}) != variables.names.lastIndexOf({graph.name}))"
            f""".map(n, '{graph.path}: another {graph.what} is named "' + {graph.name} + '"')"""
        ),
        (
            f"variables.nodes.filter(n, {graph.targets}.exists(t, !(t in variables.names)))"
            f""".map(n, '{graph.path}: {graph.what} "' + {graph.name} + '": no {graph.what} named ' + """
            f"""{graph.targets}.filter(t, !(t in variables.names)).map(t, '"' + t + '"').join(', ') + ' ({graph.field})')"""
        ),
        (
            f"(variables.cycle == '' ? [] : ['{graph.path}: cycle ' + variables.cycle + "
            f"': each {graph.what} waits for the one before it ({graph.field})'])"
        ),
    ]
    return " + ".join(parts)
