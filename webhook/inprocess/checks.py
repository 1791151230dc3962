"""CEL of each check of a JobFlowPolicy: a list of sentences, one for each fault of the object.

A sentence says no more than what identifies a fault for the webhook (see shared.policy.judging.changes): an update is
refused for the sentences that the stored object does not cause, so each of them must be a new fault there as well.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from shared.policy.admission.cel import EMPTY_MAP, EMPTY_TEXT, field, fits, flat, joined, untyped
from shared.policy.admission.sides import CREATES, KIND, OLD, ObjectSide
from webhook.inprocess.images import image_matches, parsed
from webhook.inprocess.values import USES, containers, tasks

Check = Callable[[ObjectSide], str]
_SPEC: Final = "params.spec"
_LOOP: Final = "s['for']"


_SET_IN_JOBS: Final = {"queues": "queue", "schedulerNames": "schedulerName"}
"""What the webhook sets in Jobs. To write it into the Job of a CronJob that had none changes nothing for the webhook."""


def _limit(name: str) -> str:
    return f"{_SPEC}.limits.{name}"


def _number(number: str, one: str, more: str) -> str:
    """CEL of the number with its noun, as shared.codec.plural has it."""
    return f"string({number}) + ({number} == 1 ? ' {one}' : ' {more}')"


def _steps(side: ObjectSide) -> str:
    most, count = _limit("maxSteps"), f"size({side.of('steps')})"
    found, allowed = _number(count, "step", "steps"), _number(most, "is", "are")
    text = f"'spec.flows: has ' + {found} + ', at most ' + {allowed} + ' allowed'"
    return f"{count} > {most} ? [{text}] : []"


def _parallelism(side: ObjectSide) -> str:
    """The Jobs of loops are not counted, except one of a loop with `while`; the webhook counts them all. So a stored flow
    with another loop may have the fault already.
    """
    most, spec = _limit("maxParallelism"), side.of("spec")
    one = f"!has(s.switch) && !(has(s.daemon) && s.daemon) && (!('for' in s) || 'while' in {_LOOP})"
    unset = f"['spec.parallelism: must be set, to at most ' + string({most})]"
    many = f"size({side.of('flows')}.filter(s, {one})) > {most}"
    if side is OLD:
        many += f" || {side.of('flows')}.exists(s, 'for' in s)"
    exceeds = _exceeds(spec, "parallelism", most, "Job at once", "Jobs at once")
    return f"has({spec}.parallelism) && {spec}.parallelism != 0 ? {exceeds} : ({many} ? {unset} : [])"


def _replicas(side: ObjectSide) -> str:
    most = _limit("maxReplicas")
    total = f"({tasks('j')}.map(t, {field('t', 'replicas', '0')}) + [0]).sum()"
    text = f"{_number('n', 'pod', 'pods')} + ' in total, a Job may have at most ' + string({most})"
    return f"{side.of('parts')}.map(j, {total}).filter(n, n > {most}).map(n, {text})"


def _retry_of_jobs(side: ObjectSide) -> str:
    most, text = _limit("maxRetry"), _too_many_retries("h.maxRetry")
    return flat(
        f"{side.of('parts')}.map(j, "
        + joined(f"([j] + {tasks('j')}).filter(h, has(h.maxRetry) && h.maxRetry > {most}).map(h, {text})")
        + ")"
    )


def _retry_of_flows(side: ObjectSide) -> str:
    limit = "h.retry.limit"
    over = f"has(h.retry) && has({limit}) && {limit} > {_limit('maxRetry')}"
    steps = f"([{side.of('spec')}] + {side.of('steps')}).filter(h, {over}).map(h, {_too_many_retries(limit)})"
    return f"{_retry_of_jobs(side)} + {steps}"


def _too_many_retries(number: str) -> str:
    found, most = (_number(each, "retry", "retries") for each in (number, _limit("maxRetry")))
    return f"{found} + ': at most ' + {most}"


def _deadline(side: ObjectSide) -> str:
    return _seconds(side, "activeDeadlineSeconds", "maxActiveDeadlineSeconds", needed=f"!{side.of('ofAFlow')}")


def _ttl_of_jobs(side: ObjectSide) -> str:
    needed = f"variables.finished && !{side.of('ofAFlow')}"
    return _seconds(side, "ttlSecondsAfterFinished", "maxTtlSecondsAfterFinished", needed=needed)


def _ttl_of_flows(side: ObjectSide) -> str:
    name, most = "ttlSecondsAfterFinished", _limit("maxTtlSecondsAfterFinished")
    own = _seconds(side, name, "maxTtlSecondsAfterFinished", needed=f"!{side.of('ofAFlow')}")
    texts = f"'{name}: ' + string(j.{name}) + ': at most ' + {_number(most, 'second', 'seconds')}"
    return f"({own}) + {side.of('parts')}.filter(j, has(j.{name}) && j.{name} > {most}).map(j, {texts})"


def _seconds(side: ObjectSide, name: str, limit: str, *, needed: str) -> str:
    """An absent number is a fault where it is needed, unless it is listed as left to the webhook, which may set it."""
    spec, most = side.of("spec"), _limit(limit)
    unset = f"['spec.{name}: must be set, to at most ' + string({most})]"
    needed = f"{needed} && !('limits.{limit}' in variables.left)"
    return f"has({spec}.{name}) ? {_exceeds(spec, name, most, 'second', 'seconds')} : ({needed} ? {unset} : [])"


def _exceeds(holder: str, name: str, most: str, one: str, more: str) -> str:
    number = f"{holder}.{name}"
    text = f"'spec.{name}: ' + string({number}) + ': at most ' + {_number(most, one, more)}"
    return f"({number} > {most} ? [{text}] : [])"


def _labels(side: ObjectSide) -> str:
    """Nothing where the webhook sets one of the labels. A JobFlowTemplate cannot say the labels of its flows; they are judged when a flow is created."""
    labels, text = side.of("labels"), "'metadata.labels[' + k + ']: this label must be set'"
    missing = f"{_SPEC}.required.labels.filter(k, !(k in {labels}) || {labels}[k] == '')"
    left = "request.kind.kind == 'JobFlowTemplate' || 'required.labels' in variables.left"
    return f"{left} ? [] : {missing}.map(k, {text})"


def _amounts(name: str, verb: str, fields: tuple[str, ...]) -> Check:
    """Resources that every container must say. `fields`: of `resources`; one of them is enough, also one of the pod."""

    def check(side: ObjectSide) -> str:
        in_container = " || ".join(_present("c", each) for each in fields)
        in_pod = " || ".join(_present("p", each) for each in fields)
        text = f"'container ' + {untyped('c', 'name', 'string', EMPTY_TEXT)} + ' must {verb} ' + r"
        without = joined(f"{containers('p')}.filter(c, !({in_container} || {in_pod})).map(c, {text})")
        of_pods = joined(f"{_SPEC}.required.{name}.map(r, {joined(f'l.map(p, {without})')})")
        return flat(f"{side.of('pods')}.map(l, {of_pods})")

    return check


def _present(holder: str, name: str) -> str:
    amounts = untyped(untyped(holder, "resources", "map", EMPTY_MAP), name, "map", EMPTY_MAP)
    return f"(r in {amounts} && {amounts}[r] != null)"


def _usage(group: str, name: str) -> Check:
    patterns = f"{_SPEC}.{group}.{name}"
    fault = f"!{fits('v', patterns)}" if group == "allowed" else fits("v", patterns)
    text = "not allowed" if group == "allowed" else "denied"

    def check(side: ObjectSide) -> str:
        faults = f"{side.of(name)}.filter(v, {fault}).map(v, '\"' + v + '\" is {text}')"
        if side is OLD or name not in _SET_IN_JOBS:
            return faults
        before = f"has({OLD.of('spec')}.{_SET_IN_JOBS[name]})"
        return f"{KIND} == 'CronJob' && !({CREATES}) && !{before} ? [] : {faults}"

    return check


def patterns(group: str) -> Iterator[tuple[str, str]]:
    """Variables of the parsed patterns of images in `allowed` or `denied`."""
    yield from parsed(f"{group}Patterns", f"{_SPEC}.{group}.images", wildcards=True)


def _image_faults(group: str, fault: str) -> Check:
    """`fault`: CEL of whether a valid image `v` is refused. An image that is not valid always is."""
    text = "not allowed" if group == "allowed" else "denied" if group == "denied" else "not given by digest"
    return lambda side: f"{side.of('images')}.filter(v, !v.valid || {fault}).map(v, '\"' + v.text + '\" is {text}')"


def _image_checks() -> Iterator[tuple[str, Check]]:
    for group in ("allowed", "denied"):
        refuses = "!" if group == "allowed" else ""
        registries = f"{_SPEC}.{group}.registries.map(x, x.lowerAscii())"
        tags = fits("v.tag", f"{_SPEC}.{group}.imageTags")
        yield f"{group}.images", _image_faults(group, refuses + image_matches("v", f"variables.{group}Patterns"))
        yield f"{group}.registries", _image_faults(group, refuses + fits("v.registry", registries))
        yield f"{group}.imageTags", _image_faults(group, f"(!v.pinned && {refuses}{tags})")
    yield "required.imageDigests", _image_faults("required", "v.digest == ''")


def _usages() -> Iterator[tuple[str, Check]]:
    for group in ("allowed", "denied"):
        for name in USES:
            yield f"{group}.{name}", _usage(group, name)


_OF_BOTH: Final[Mapping[str, Check]] = {
    "limits.maxReplicas": _replicas,
    **dict(_usages()),
    **dict(_image_checks()),
    "required.labels": _labels,
}
OF_JOBS: Final[Mapping[str, Check]] = {
    "limits.maxRetry": _retry_of_jobs,
    "limits.maxTtlSecondsAfterFinished": _ttl_of_jobs,
    **_OF_BOTH,
    "required.resourceRequests": _amounts("resourceRequests", "request", ("requests", "limits")),
    "required.resourceLimits": _amounts("resourceLimits", "limit", ("limits",)),
}
"""The checks of Jobs and JobTemplates, by name."""
OF_FLOWS: Final[Mapping[str, Check]] = {
    "limits.maxSteps": _steps,
    "limits.maxParallelism": _parallelism,
    "limits.maxRetry": _retry_of_flows,
    "limits.maxActiveDeadlineSeconds": _deadline,
    "limits.maxTtlSecondsAfterFinished": _ttl_of_flows,
    **_OF_BOTH,
}
"""The checks of JobFlows, by name."""
