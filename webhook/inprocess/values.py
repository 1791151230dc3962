"""CEL of what a Job, template or flow uses, as the webhook reads it (shared.policy.judging.usage).

Each value is a variable of the ValidatingAdmissionPolicy, once for the new object (suffix `New`) and once for the stored
one (`Old`). What is read from pod templates, which the CRDs leave untyped, may have any type.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from shared.policy.admission.cel import EMPTY_LIST, EMPTY_MAP, EMPTY_TEXT, field, flat, joined, untyped
from shared.policy.admission.sides import KIND, ObjectSide, Variable
from webhook.inprocess.images import parsed

Texts = Callable[[ObjectSide], str]

_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")


def job_values(side: ObjectSide) -> Iterator[Variable]:
    """The values of a JobTemplate, a Job, or the Job in a CronJob. `held`: whether there is one."""
    yield side.name("held"), f"{KIND} != 'CronJob' || size({_inner(side, 'jobTemplate')}) > 0"
    yield side.name("holder"), f"{KIND} == 'CronJob' ? {_inner(side, 'jobTemplate')} : {side.object}"
    yield side.name("metadata"), field(side.of("holder"), "metadata", EMPTY_MAP)
    yield side.name("spec"), field(side.of("holder"), "spec", EMPTY_MAP)
    yield side.name("parts"), f"[{side.of('spec')}]"
    yield from _shared_values(side)


def flow_values(side: ObjectSide) -> Iterator[Variable]:
    """The values of a JobFlow, or the one in a CronJobFlow or JobFlowTemplate. Its parts are the patches of its steps.
    `held`: whether there is one."""
    holder, template = side.of("holder"), f"{KIND} == 'JobFlowTemplate'"
    in_a_schedule, in_a_template = _inner(side, "jobFlowTemplate"), _inner(side, "flow")
    held = f"{KIND} == 'CronJobFlow' ? size({in_a_schedule}) > 0 : {template} ? size({in_a_template}) > 0 : true"
    yield side.name("held"), held
    yield side.name("holder"), f"{KIND} == 'CronJobFlow' ? {in_a_schedule} : {side.object}"
    yield side.name("metadata"), f"{template} ? {EMPTY_MAP} : {field(holder, 'metadata', EMPTY_MAP)}"
    yield side.name("spec"), f"{template} ? {in_a_template} : {field(holder, 'spec', EMPTY_MAP)}"
    spec = side.of("spec")
    yield side.name("flows"), field(spec, "flows", EMPTY_LIST)
    yield side.name("steps"), f"{side.of('flows')} + {field(spec, 'finally', EMPTY_LIST)}"
    patched = f"{side.of('steps')}.filter(s, has(s.patch) && has(s.patch.jobSpec))"
    yield side.name("parts"), f"{patched}.map(s, s.patch.jobSpec)"
    yield from _shared_values(side)


def tasks(part: str) -> str:
    return field(part, "tasks", EMPTY_LIST)


def containers(pod: str) -> str:
    """All containers of a pod."""
    return "(" + " + ".join(untyped(pod, name, "list", EMPTY_LIST) for name in _CONTAINERS) + ")"


def _inner(side: ObjectSide, name: str) -> str:
    return field(field(side.object, "spec", EMPTY_MAP), name, EMPTY_MAP)


def _shared_values(side: ObjectSide) -> Iterator[Variable]:
    """Labels, pods, and one list of texts for each field of `allowed` and `denied`."""
    metadata = side.of("metadata")
    yield side.name("labels"), field(metadata, "labels", EMPTY_MAP)
    yield side.name("ofAFlow"), f"{field(metadata, 'ownerReferences', EMPTY_LIST)}.exists(o, o.kind == 'JobFlow')"
    pod = untyped(field("t", "template", EMPTY_MAP), "spec", "map", EMPTY_MAP)
    yield side.name("pods"), f"{side.of('parts')}.map(j, {tasks('j')}.map(t, {pod}))"
    for name, texts in {**USES, _IMAGE_TEXTS: _of_pods(_IMAGES)}.items():
        # Texts with placeholders are judged in the Job that is made of them.
        yield side.name(name), f"({texts(side)}).filter(v, !(variables.open && v.contains('$(')))"
    yield from parsed(side.name("images"), side.of(_IMAGE_TEXTS))


def _of_parts(name: str) -> Texts:
    return lambda side: flat(f"{side.of('parts')}.map(j, {field('j', name, EMPTY_TEXT)})")


def _of_pods(text: str) -> Texts:
    """`text`: CEL of a text about a pod spec `p`, with one value in each line."""
    return lambda side: flat(f"{side.of('pods')}.map(l, {joined(f'l.map(p, {text})')})")


def _of_parts_and_pods(name: str) -> Texts:
    of_parts, of_pods = _of_parts(name), _of_pods(untyped("p", name, "string", EMPTY_TEXT))
    return lambda side: f"{of_parts(side)} + {of_pods(side)}"


def _plugins(side: ObjectSide) -> str:
    return flat(f"{side.of('parts')}.map(j, {joined(field('j', 'plugins', EMPTY_MAP) + '.map(k, k)')})")


def _text(holder: str, name: str) -> str:
    return untyped(holder, name, "string", EMPTY_TEXT)


_ACCOUNTS: Final = joined(
    f"([{_text('p', 'serviceAccountName')}, {_text('p', 'serviceAccount')}]"
    f" + ({_text('p', 'serviceAccountName')} + {_text('p', 'serviceAccount')} == '' && variables.finished ? ['default'] : []))"
)
_IMAGE_TEXTS: Final = "imageTexts"
_IMAGES: Final = joined(
    f"({containers('p')}.map(c, {_text('c', 'image')}) + {untyped('p', 'volumes', 'list', EMPTY_LIST)}"
    f".map(c, {_text(untyped('c', 'image', 'map', EMPTY_MAP), 'reference')}))"
)
USES: Final[Mapping[str, Texts]] = {
    "queues": _of_parts("queue"),
    "schedulerNames": _of_parts_and_pods("schedulerName"),
    "priorityClassNames": _of_parts_and_pods("priorityClassName"),
    "plugins": _plugins,
    "serviceAccounts": _of_pods(_ACCOUNTS),
}
"""By the name of the field in `allowed` and `denied`: CEL of the list of texts that an object uses. Images are parsed."""
