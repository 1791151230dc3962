"""`pytorch`: the variables of torch.distributed's `env://` rendezvous (docs/design/volcano-behaviour.md, section 4.5).

Ranks are unique over all masters and workers: masters 0..m-1, workers from m (docs/design/decisions.md, row 20).
"""

from typing import ClassVar, Final

from controller.plugin_api import PluginJob, PluginTask, PodSlot, map_containers, with_env, with_port, with_spec
from shared.model.types import Body
from shared.plugins.arguments import PytorchArguments

WAITER: Final = "wait-for-master"
# nc for busybox, bash's /dev/tcp for images without it.
_WAIT: Final = """\
deadline=$(( $(date +%s) + {timeout} ))
until nc -z -w 2 {host} {port} 2>/dev/null || (exec 3<>/dev/tcp/{host}/{port}) 2>/dev/null; do
  if [ "$(date +%s)" -ge "$deadline" ]; then
    echo "master {host}:{port} did not answer within {timeout}s" >&2
    exit 1
  fi
  echo "waiting for master {host}:{port}"
  sleep 2
done
"""


class PytorchPlugin:
    name: ClassVar[str] = "pytorch"

    def shape(self, pod: Body, slot: PodSlot, job: PluginJob, args: PytorchArguments) -> Body:
        master, worker = job.task(args.master), job.task(args.worker)
        if master is None:
            return pod
        address = job.host(master, 0).domain
        values = {
            "MASTER_ADDR": address,
            "MASTER_PORT": str(args.port),
            "WORLD_SIZE": str(master.replicas + (worker.replicas if worker else 0)),
            **_rank(slot, master, args),
        }
        variables = [{"name": name, "value": value} for name, value in values.items()]
        shaped = map_containers(
            pod, lambda container: with_port(with_env(container, variables), args.port, "pytorchjob-port"), init=False
        )
        waits = args.wait_master_enabled and slot.task == args.worker
        return _with_waiter(shaped, address, args) if waits else shaped


def _rank(slot: PodSlot, master: PluginTask, args: PytorchArguments) -> dict[str, str]:
    first = {args.worker: master.replicas, args.master: 0}.get(slot.task)
    return {} if first is None else {"RANK": str(first + slot.index)}


def _with_waiter(pod: Body, address: str, args: PytorchArguments) -> Body:
    present = pod["spec"].get("initContainers") or []
    if any(container.get("name") == WAITER for container in present):
        return pod
    script = _WAIT.format(host=address, port=args.port, timeout=args.wait_master_timeout)
    waiter = {"name": WAITER, "image": args.wait_master_image, "command": ["sh", "-c", script]}
    return with_spec(pod, initContainers=[*present, waiter])
