"""Prints the log of a pod."""

import argparse
import sys
from typing import Final

from cli.client import Session
from cli.output import note
from shared.kube.client.errors import ApiError, BadRequest, error_of
from shared.kube.client.requests import Request
from shared.kube.pod_logs import STARTED, log_request, why_no_logs
from shared.model.types import Body

_QUIET: Final = 3600.0  # seconds without output before the connection is given up


async def print_log(session: Session, arguments: argparse.Namespace, pod: Body, *, prefix: bool) -> bool:
    """Print the pod's log and return whether it has one (it may be empty).

    Otherwise, and if containers have problems, print the cause.
    """
    answer = await session.transport.send(_request(arguments, pod, follow=False), arguments.request_timeout)
    why = why_no_logs(pod)
    if answer.code == BadRequest.code:  # no log yet; other pods may have one
        note(f"{pod['metadata']['name']}: {why or error_of(answer.code, answer.body).message}")
        return False
    if answer.code >= 300:
        raise error_of(answer.code, answer.body)
    _write(answer.body, pod["metadata"]["name"] if prefix else "")
    if why:
        note(f"{pod['metadata']['name']}: {why}")
    return bool(answer.body) or (pod.get("status") or {}).get("phase") in STARTED


async def follow_log(session: Session, arguments: argparse.Namespace, pod: Body, *, prefix: bool) -> None:
    """Print the pod's log as it is written, until the pod ends."""
    name = pod["metadata"]["name"]
    request = _request(arguments, pod, follow=True)
    try:
        async with session.transport.stream(request, _QUIET) as (code, content, _):
            if code >= 300:
                raise error_of(code, await content.read())
            while line := await content.readline():
                _write(line, name if prefix else "")
    except ApiError as error:
        note(f"{name}: {error.message}")


def _request(arguments: argparse.Namespace, pod: Body, *, follow: bool) -> Request:
    return log_request(pod, arguments.container, follow=follow, tail=arguments.tail)


def _write(data: bytes, prefix: str) -> None:
    text = data.decode("utf-8", "replace")
    if prefix:
        text = "".join(f"[{prefix}] {line}" for line in text.splitlines(keepends=True))
    sys.stdout.write(text if text.endswith("\n") or not text else f"{text}\n")
    sys.stdout.flush()
