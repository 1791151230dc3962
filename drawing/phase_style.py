"""Symbols and terminal colours of phases, the same in tables, trees and pictures.

The colour names are those of the library rich.
"""

from typing import Final

from shared.model.phases import StepPhase

SYMBOLS: Final = {
    StepPhase.WAITING: "○",
    StepPhase.PENDING: "◌",
    StepPhase.RUNNING: "●",
    StepPhase.RETRYING: "↻",
    StepPhase.SUSPENDED: "‖",
    StepPhase.COMPLETED: "✓",
    StepPhase.FAILED: "✗",
    StepPhase.SKIPPED: "⊘",
    StepPhase.TERMINATED: "■",
}
COLOURS: Final = {
    "Completed": "green",
    "Succeed": "green",
    "Succeeded": "green",
    "Open": "green",
    "Running": "cyan",
    "Retrying": "yellow",
    "Pending": "blue",
    "Suspended": "magenta",
    "Aborted": "magenta",
    "Aborting": "magenta",
    "Restarting": "yellow",
    "Completing": "cyan",
    "Terminating": "yellow",
    "Closing": "yellow",
    "Releasing": "yellow",
    "Closed": "dim",
    "Failed": "red",
    "Terminated": "red",
    "Unknown": "red",
    "Skipped": "dim",
    "Waiting": "dim",
}
