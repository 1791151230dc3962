"""The `jobflow` command, also `kubectl jobflow`: parses arguments, runs a verb and returns the exit code.

Only the modules of that verb are imported.
"""

import gc
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.exits import CliError, Exit
from cli.output import note
from cli.parser import build

_PLUGIN = "kubectl-jobflow"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code.

    No error prints a traceback. Usage errors raise SystemExit(2), as in argparse.
    """
    # start-up creates many objects and no garbage; this saves a tenth of the time of a short verb
    gc.set_threshold(50_000)
    _use_utf8()
    prog = "kubectl jobflow" if Path(sys.argv[0]).name == _PLUGIN else "jobflow"
    given = sys.argv[1:] if argv is None else argv
    completes = "_ARGCOMPLETE" in os.environ
    parser = build(prog, given[0] if given and not completes else "")
    if completes:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)
    arguments = parser.parse_args(given)
    module, _, function = arguments.function.partition(":")
    try:
        run: Callable[..., int] = getattr(importlib.import_module(f"{__package__}.commands.{module}"), function)
        code = int(run(arguments))
        sys.stdout.flush()
        return code
    except CliError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe (`| head`): prevent Python from writing to it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as error:  # noqa: BLE001 - users get one line for every error
        return _fail(_unexpected(error))


def _use_utf8() -> None:
    """Write UTF-8 to files and pipes whatever the locale; replace characters that a terminal cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding=stream.encoding if stream.isatty() else "utf-8", errors="replace")


def _fail(error: CliError) -> int:
    note(f"jobflow: {error.message}")
    if error.hint:
        note(f"  {error.hint}")
    return error.code


def _unexpected(error: Exception) -> CliError:
    """A bug of ours: one line for users, or the traceback with JOBFLOW_DEBUG=1."""
    if os.environ.get("JOBFLOW_DEBUG"):
        raise error
    said = f"{type(error).__name__}: {error}"
    return CliError(
        f"unexpected error: {said}", Exit.USAGE, "please report it with the traceback that JOBFLOW_DEBUG=1 prints"
    )


if __name__ == "__main__":
    sys.exit(main())
