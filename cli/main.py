"""The `jobflow` command, also `kubectl jobflow`: arguments in, exit code out. Modules of a verb are loaded with the verb."""

import gc
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.exits import CliError, Exit
from cli.parser import build

_PLUGIN = "kubectl-jobflow"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; never a traceback. Usage errors exit by SystemExit(2), as argparse does."""
    gc.set_threshold(50_000)  # start-up makes many objects and no garbage: a tenth of the time of a short verb
    _speak_utf8()
    prog = "kubectl jobflow" if Path(sys.argv[0]).name == _PLUGIN else "jobflow"
    parser = build(prog)
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)
    arguments = parser.parse_args(argv)
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
        # The reader has gone (`| head`): nothing more can be said, and Python must not try at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as error:  # noqa: BLE001 - people get one line, whatever it is
        return _fail(_unforeseen(error))


def _speak_utf8() -> None:
    """Under a locale that is none of UTF-8 files and pipes get UTF-8 all the same, a terminal what it can show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding=stream.encoding if stream.isatty() else "utf-8", errors="replace")


def _fail(error: CliError) -> int:
    print(f"jobflow: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)
    return error.code


def _unforeseen(error: Exception) -> CliError:
    """A fault of ours: one line for people, the traceback for those who ask."""
    if os.environ.get("JOBFLOW_DEBUG"):
        raise error
    said = f"{type(error).__name__}: {error}"
    return CliError(
        f"this should not have happened: {said}", Exit.USAGE, "JOBFLOW_DEBUG=1 shows where; please report it"
    )


if __name__ == "__main__":
    sys.exit(main())
