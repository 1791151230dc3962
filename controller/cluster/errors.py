"""Reasons other than errors of the API server why a decision was not carried out completely."""


class StaleError(Exception):
    """The observed objects have changed since: observe and decide again. Not counted as a failure."""


class NotLeader(Exception):
    """This process does not hold the lease, or no longer holds it, and must not write."""
