"""A rank of a PyTorch Job: is everything there that `init_process_group("env://")` reads?"""

import os
from collections.abc import Iterator

from faults import end, hosts


def check() -> Iterator[str]:
    everybody = hosts("master") + hosts("worker")
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    print(f"rank {rank} of {size}")
    if size != len(everybody):
        yield f"WORLD_SIZE is {size}, but these are there: {everybody}"
    if not 0 <= rank < size or everybody[rank].partition(".")[0] != os.environ["HOSTNAME"]:
        yield f"RANK {rank} is not {os.environ['HOSTNAME']} of {everybody}"
    if os.environ["MASTER_ADDR"] != everybody[0]:
        yield f"MASTER_ADDR is {os.environ['MASTER_ADDR']}, the first master is {everybody[0]}"
    if not 0 < int(os.environ["MASTER_PORT"]) < 65536:
        yield f"MASTER_PORT is {os.environ['MASTER_PORT']}"


end(check())
