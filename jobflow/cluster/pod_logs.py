"""The logs of the pods of a Job, or of those below an object of another kind."""

from collections.abc import Sequence

from jobflow.cluster.connection import ClusterSession
from shared.kube.client.errors import BadRequest, error_of
from shared.kube.owned_pods import pods_below, read_object
from shared.kube.pod_logs import log_request, pods_of_job
from shared.model.types import Body

_SECONDS = 60.0


async def read_logs(
    session: ClusterSession,
    job: str,
    *,
    manifest: Body | None = None,
    task: str = "",
    container: str = "",
    tail: int | None = None,
) -> str:
    """One after the other; each line begins with the pod's name where there are several.

    `manifest`: that of the step's `resource`, whose object `job` names. Raises ValueError for a `task` beside it.
    """
    pods = await _pods(session, job, manifest, task)
    texts = [await _read(session, pod, container, tail) for pod in pods]
    return texts[0] if len(texts) == 1 else "".join(_named(pods, texts))


async def _pods(session: ClusterSession, job: str, manifest: Body | None, task: str) -> list[Body]:
    if manifest is None:
        return await pods_of_job(session.api, session.namespace, job, task)
    if task:
        raise ValueError(f"task={task!r}: {manifest.get('kind')} {job} has no tasks; container= chooses a container")
    made = await read_object(session.api, manifest, session.namespace, job)
    return await pods_below(session.api, made) if made is not None else []


async def _read(session: ClusterSession, pod: Body, container: str, tail: int | None) -> str:
    """Empty for a pod that has not started."""
    answer = await session.transport.send(log_request(pod, container, follow=False, tail=tail), _SECONDS)
    if answer.code == BadRequest.code:
        return ""
    if answer.code >= 300:
        raise error_of(answer.code, answer.body)
    return answer.body.decode("utf-8", "replace")


def _named(pods: Sequence[Body], texts: Sequence[str]) -> list[str]:
    lines = []
    for pod, text in zip(pods, texts, strict=True):
        lines += [f"[{pod['metadata']['name']}] {line}\n" for line in text.splitlines()]
    return lines
