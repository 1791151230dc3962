"""Simple commands whose outcome is known without running them, such as `sh -c "sleep 10s; exit 3"`."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

_SHELLS = {"sh", "bash", "ash", "dash", "zsh"}
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_OPERATORS = set(";&|<>()")
_LIVE = re.compile(r"[$`*?\\]")
_TERMINATION_LOG = "/dev/termination-log"


@dataclass(frozen=True)
class ScriptOutcome:
    """What a command does: how long, the exit code, what it prints and leaves as termination message."""

    seconds: float = 0.0
    code: int = 0
    output: str = ""
    message: str = ""


def foresee(command: Sequence[str]) -> ScriptOutcome | None:
    """The outcome of a command, or None if it must be run."""
    if not command:
        return None
    if PurePosixPath(command[0]).name in _SHELLS:
        return _script(command[2]) if len(command) == 3 and command[1].lstrip("-") in ("c", "ec", "ce") else None
    return _statement(ScriptOutcome(), list(command))


def _script(text: str) -> ScriptOutcome | None:
    if _LIVE.search(text):
        return None
    try:
        tokens = _tokens(text)
    except ValueError:
        return None
    course: ScriptOutcome | None = ScriptOutcome()
    for joint, words in _statements(tokens):
        if course is None or joint not in (";", "&&"):
            return None
        if joint == "&&" and course.code:
            continue
        if words[0] == "exit":
            code = int(words[1]) if len(words) > 1 and words[1].isdigit() else course.code
            return replace(course, code=code)
        course = _statement(course, words)
    return course


def _tokens(text: str) -> list[str]:
    lexer = shlex.shlex(text.replace("\n", ";"), posix=True, punctuation_chars=";&|<>()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)


def _statements(tokens: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The statements, each with the operator before it."""
    joint = ";"
    words: list[str] = []
    for token in [*tokens, ";"]:
        if set(token) <= _OPERATORS and token not in (">", ">>"):
            if words:
                yield joint, words
            joint, words = ";" if set(token) == {";"} else token, []
        else:
            words.append(token)


def _statement(course: ScriptOutcome, words: list[str]) -> ScriptOutcome | None:
    name, rest = PurePosixPath(words[0]).name, words[1:]
    match name:
        case "exec" if rest:
            return _statement(course, rest)
        case "sleep":
            seconds = _seconds(rest)
            return None if seconds is None else replace(course, seconds=course.seconds + seconds, code=0)
        case "true" | ":" | "set":
            return replace(course, code=0)
        case "false":
            return replace(course, code=1)
        case "echo":
            return _echo(course, rest)
    return None


def _seconds(words: list[str]) -> float | None:
    total = 0.0
    for word in words:
        found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+|inf(?:inity)?)([smhd]?)", word)
        if found is None:
            return None
        total += float(found[1]) * _UNITS[found[2]]
    return total if words else None


def _echo(course: ScriptOutcome, words: list[str]) -> ScriptOutcome | None:
    end = "" if words[:1] == ["-n"] else "\n"
    words = words[1:] if words[:1] == ["-n"] else words
    if not {">", ">>"} & set(words):
        return replace(course, output=course.output + " ".join(words) + end, code=0)
    if len(words) >= 2 and words[-2] in (">", ">>") and words[-1] == _TERMINATION_LOG:
        return replace(course, message=" ".join(words[:-2]) + end, code=0)
    return None
