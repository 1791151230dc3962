"""`ui`: serves the web pages on this machine and opens the browser."""

import argparse
import asyncio
import contextlib
import signal
import webbrowser

from cli.client import load_with_plugin, namespace_of
from cli.exits import CliError, Exit
from cli.output import note, print_data
from shared.kube.client.access import Access
from web.laptop import on_laptop


def run(arguments: argparse.Namespace) -> int:
    """Until Ctrl-C."""
    try:
        return asyncio.run(_serve(arguments))
    except OSError as error:
        raise CliError(f"cannot serve at port {arguments.port}: {error.strerror or error}", Exit.USAGE) from error


async def _serve(arguments: argparse.Namespace) -> int:
    access: Access | None = None if arguments.offline else await load_with_plugin(arguments)
    namespace = "" if arguments.offline else namespace_of(arguments)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no such handlers: Ctrl-C raises there
            loop.add_signal_handler(number, ended.set)
    async with on_laptop(access, port=arguments.port, namespace=namespace, read_only=arguments.read_only) as url:
        print_data(url)
        note("The address works once. Ctrl-C ends the server.")
        if not arguments.no_browser:
            await asyncio.to_thread(webbrowser.open, url)
        await ended.wait()
    return Exit.OK
