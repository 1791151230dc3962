"""Exit codes of the command, and the exception that carries one."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; docs/command.md lists them."""

    OK = 0
    NO = 1  # negative result: violations, a flow that did not succeed
    USAGE = 2  # wrong arguments, a file that cannot be read
    NOT_FOUND = 3
    UNREACHABLE = 4  # no cluster configured, no answer, or credentials not accepted
    REFUSED = 5  # the API server refused the request
    INTERRUPTED = 130


MEANINGS = {
    Exit.OK: "done; of `lint`: no violations; of `run --watch` and `status --watch`: the flow succeeded",
    Exit.NO: "negative result: violations were found, the watched or simulated flow did not succeed, no pod has a log, or a Command had no effect",
    Exit.USAGE: "wrong arguments, or a file that cannot be read",
    Exit.NOT_FOUND: "the object, step or template does not exist",
    Exit.UNREACHABLE: "no cluster is configured, the API server does not answer, or it does not accept the credentials",
    Exit.REFUSED: "the API server refused the request: invalid, forbidden, or in conflict",
    Exit.INTERRUPTED: "interrupted by Ctrl-C",
}


class CliError(Exception):
    """Ends the command with a message instead of a traceback. `hint`: what the user can do."""

    def __init__(self, message: str, code: Exit = Exit.USAGE, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
