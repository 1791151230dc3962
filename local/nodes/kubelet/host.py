"""State that all simulated pods share: the client, addresses, a scratch folder, and run counts."""

import itertools
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from local.client.rest import RestClient
from local.nodes.settings import NodeSettings
from shared.model.types import Body

NODE_IP = "127.0.0.1"


@dataclass
class KubeletContext:
    """`runs`: how often each container ran under each pod name, so that `fail-first` can count."""

    client: RestClient
    settings: NodeSettings
    scratch: Path
    runs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    used: set[str] = field(default_factory=set)
    _remote: Iterator[str] = field(default_factory=lambda: _addresses("10.244"))
    _local: Iterator[str] = field(default_factory=lambda: _addresses("127.10"))

    def address(self, local: bool) -> str:
        """A new pod IP, from the loopback range if processes must be able to listen on it."""
        made = next(each for each in (self._local if local else self._remote) if each not in self.used)
        self.used.add(made)
        return made

    def pod_folder(self, uid: str) -> Path:
        return self.scratch / "pods" / uid

    def log(self, uid: str, container: str, previous: bool = False) -> Path:
        return self.pod_folder(uid) / f"{container}{'.previous' if previous else ''}.log"

    def forget(self, pod: Body) -> None:
        """Release the files and the address of a deleted pod."""
        self.used.discard((pod.get("status") or {}).get("podIP", ""))
        shutil.rmtree(self.pod_folder(pod["metadata"]["uid"]), ignore_errors=True)

    def next_run(self, pod: Body, container: str) -> int:
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"], container)
        self.runs[key] += 1
        return self.runs[key] - 1


def _addresses(prefix: str) -> Iterator[str]:
    return (f"{prefix}.{high}.{low}" for high, low in itertools.cycle(itertools.product(range(256), range(1, 255))))
