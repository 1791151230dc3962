"""The result of a Command."""

from enum import StrEnum

import msgspec


class Effect(StrEnum):
    """`HELD` and `CHANGES_SPEC` are not final: the Command is kept and evaluated again."""

    DONE = "Done"
    WITHOUT_EFFECT = "WithoutEffect"
    REFUSED = "Refused"
    UNKNOWN = "Unknown"
    HELD = "Held"  # until the flow has ended
    CHANGES_SPEC = "ChangesSpec"  # the flow's spec must be changed before anything else happens


class CommandEffect(msgspec.Struct, frozen=True):
    """`message`: what it did, or why it did nothing, for people."""

    effect: Effect
    message: str = ""


def done(message: str) -> CommandEffect:
    return CommandEffect(Effect.DONE, message)


def without_effect(why: str) -> CommandEffect:
    return CommandEffect(Effect.WITHOUT_EFFECT, why)


def refused(why: str) -> CommandEffect:
    return CommandEffect(Effect.REFUSED, why)
