"""Why a decision was not carried out to its end, apart from the API server's errors."""


class StaleError(Exception):
    """What was decided on has changed meanwhile: observe and decide again. No failure."""


class NotLeader(Exception):
    """The lease is not held (any more): this process must not write."""
