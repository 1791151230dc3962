"""`python -m local.apiserver`: run the server as a process. Prints one line of JSON when it is ready."""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
from pathlib import Path

from local.apiserver.core import ServerOptions
from local.apiserver.server import BOOKMARKS, ApiServer


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--dir", type=Path, required=True, help="gets kubeconfig, ca.crt and the state")
    parser.add_argument("--rbac", action="store_true", help="enforce the stored roles and bindings")
    parser.add_argument("--seed", type=int, default=0, help="of the fault injection")
    parser.add_argument("--managed-fields", action="store_true", help="keep managedFields of every object (slower)")
    parser.add_argument("--keep-state", action="store_true", help="write the state to --dir at the end")
    parser.add_argument("--bookmarks", type=float, default=BOOKMARKS, help="seconds between a watch's bookmarks")
    return parser.parse_args()


async def run(given: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = ApiServer(
        given.dir, given.port, ServerOptions(given.rbac, given.managed_fields, given.seed), given.bookmarks
    )
    await server.up()
    print(json.dumps({"ready": True, "url": server.url, "kubeconfig": str(server.kubeconfig)}), flush=True)
    await stop.wait()
    await server.down(keep=given.keep_state)


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    asyncio.run(run(arguments()))


if __name__ == "__main__":
    main()
