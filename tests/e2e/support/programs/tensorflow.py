"""A member of a TensorFlow cluster: does TF_CONFIG say who is who, and who I am?"""

import json
import os
from collections.abc import Iterator

from faults import end, hosts


def check() -> Iterator[str]:
    config = json.loads(os.environ["TF_CONFIG"])
    cluster, task = config["cluster"], config["task"]
    print(f"{task['type']} {task['index']} of {sorted(cluster)}")
    for role in ("chief", "ps", "worker"):
        wanted = [f"{host}:2222" for host in hosts(role)]
        if cluster.get(role) != wanted:
            yield f"cluster.{role} is {cluster.get(role)}, not {wanted}"
    if task["index"] != int(os.environ["VC_TASK_INDEX"]):
        yield f"task.index is {task['index']}, VC_TASK_INDEX {os.environ['VC_TASK_INDEX']}"
    if cluster[task["type"]][task["index"]].partition(".")[0] != os.environ["HOSTNAME"]:
        yield f"{os.environ['HOSTNAME']} is not {task['type']} {task['index']} of {cluster}"


end(check())
