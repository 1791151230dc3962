"""The `jobflow` command, also `kubectl jobflow`: parses arguments, runs a verb and returns the exit code.

Only the modules of that verb are imported.
"""

import contextlib
import errno
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
_NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code.

    No error prints a traceback. Usage errors raise SystemExit(2), as in argparse.
    """
    # start-up creates many objects and no garbage; this saves a tenth of the time of a short verb
    gc.set_threshold(50_000)
    _replace_closed()
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
        if argv is None:
            _end(code)
        return code
    except CliError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe (`| head`): prevent Python from writing to it again at exit.
        _discard_output()
        return Exit.OK
    except OSError as error:
        if error.errno not in _NOT_WRITTEN:
            return _fail(_unexpected(error))
        _discard_output()
        return _fail(CliError(f"the output cannot be written: {error.strerror}", Exit.USAGE))
    except Exception as error:  # noqa: BLE001 - users get one line for every error
        return _fail(_unexpected(error))


def _end(code: int) -> None:
    """End the process, if it has no threads that have to be waited for, without Python's clean-up: it frees object by object,
    a twentieth of the time of a short command.
    """
    if "threading" not in sys.modules:
        sys.stderr.flush()
        os._exit(code)
    gc.freeze()  # the clean-up would look at all objects twice more


def _discard_output() -> None:
    """Drop what Python still holds for stdout, so that it does not fail once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _replace_closed() -> None:
    """Write to nowhere what would go to a closed stdout or stderr (`>&-`), for which Python has None."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - open until the process ends
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


def _use_utf8() -> None:
    """Write UTF-8 to files and pipes whatever the locale; replace characters that a terminal cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding=stream.encoding if stream.isatty() else "utf-8", errors="replace")


def _fail(error: CliError) -> int:
    with contextlib.suppress(OSError):  # the exit code says it too if stderr cannot be written
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
