"""The webhook process under test: what is sent to it, and how an answer must look."""

import base64
import json
import os
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jsonpatch
import orjson
import urllib3

from local.cluster import LocalCluster
from webhook.server.routes import WebhookRoute

ALLOWED: Final = {200, 400, 408, 413}
HANG_SECONDS: Final = 2.0  # of the webhook's own work on one review
PATIENCE: Final = 30.0
_TICK: Final = os.sysconf("SC_CLK_TCK")


class WrongAnswer(AssertionError):
    """The webhook gave an answer that it must not give, or none."""


@dataclass
class FuzzFigures:
    """What was seen: answers by status, seconds from request to answer and of the webhook's CPU, the slowest request."""

    answers: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    dearest: float = 0.0
    what: str = ""

    def note(self, verdict: str, seconds: float, work: float, what: str) -> None:
        self.answers[verdict] += 1
        self.slowest = max(self.slowest, seconds)
        if work > self.dearest:
            self.dearest, self.what = work, what

    def __str__(self) -> str:
        reported = ", ".join(f"{name} {count}" for name, count in sorted(self.answers.items()))
        return f"{reported}; slowest answer {self.slowest:.2f} s; most work {self.dearest:.2f} s CPU ({self.what})"


class Target:
    """One webhook process. `fire` raises Broken; several threads may use `ask`, one at a time `fire`."""

    def __init__(self, cluster: LocalCluster) -> None:
        self.cluster = cluster
        self.figures = FuzzFigures()
        self.context = ssl.create_default_context(cadata=cluster.bundle.decode())
        self._pool = urllib3.PoolManager(maxsize=4, ssl_context=self.context, retries=False, timeout=PATIENCE)
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        return self.cluster.processes["webhook"].pid

    def ask(self, route: WebhookRoute, data: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        answer = self._pool.request("POST", self.cluster.webhook_url + route.path, body=data, headers=headers)
        return int(answer.status), answer.data

    def fire(self, route: WebhookRoute, data: bytes, what: str = "") -> None:
        """Send one review. Raises Broken unless the answer is right and came with less than 2 s of work."""
        began, before = time.monotonic(), self.work()
        try:
            status, body = self.ask(route, data)
        except urllib3.exceptions.HTTPError as error:
            self._is_alive(f"no answer to {what}: {error!r}")
            raise WrongAnswer(f"{route.path} {what}: {error!r}: {data[:300]!r}") from error
        seconds, work = time.monotonic() - began, self.work() - before
        verdict = str(status)
        if status not in ALLOWED:
            raise WrongAnswer(
                f"{route.path} {what}: HTTP {status}: {data[:2000]!r}\n{self.cluster.logs('webhook', 4000)}"
            )
        if work > HANG_SECONDS + 0.5:  # its own limit is 2 s, looked at between two rules
            raise WrongAnswer(f"{route.path} {what}: took {work:.2f} s of CPU: {data[:300]!r}")
        if status == 200:
            verdict = self._review(route, body, data)
        self.figures.note(verdict, seconds, work, what or route.path)

    def _review(self, route: WebhookRoute, body: bytes, data: bytes) -> str:
        response = orjson.loads(body)["response"]
        if not isinstance(response["allowed"], bool) or "uid" not in response:
            raise WrongAnswer(f"{route.path}: no review: {body[:500]!r}")
        if "patch" in response:
            self._patches(route, base64.b64decode(response["patch"]), data)
        return "allowed" if response["allowed"] else "refused"

    @staticmethod
    def _patches(route: WebhookRoute, patch: bytes, data: bytes) -> None:
        """A patch applies to the object that was sent."""
        sent: Any = json.loads(data.decode(errors="replace"))  # as lenient as the writer was
        try:
            jsonpatch.apply_patch(sent["request"]["object"], orjson.loads(patch))
        except jsonpatch.JsonPatchException as error:
            raise WrongAnswer(f"{route.path}: a patch that does not apply: {error}: {patch[:300]!r}") from error

    def _is_alive(self, otherwise: str) -> None:
        if not self.cluster.processes["webhook"].running:
            raise WrongAnswer(f"the webhook died; {otherwise}\n{self.cluster.logs('webhook', 4000)}")

    def work(self) -> float:
        """CPU seconds of the process so far."""
        parts = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / _TICK

    def memory(self) -> float:
        """Resident MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
