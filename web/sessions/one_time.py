"""The secret in the first URL of a laptop's server."""

import hmac


class OneTimeToken:
    """Accepted once, so somebody who reads it later in a history or a process list cannot use it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def use(self, given: str) -> bool:
        fits = bool(self._value) and hmac.compare_digest(given.encode(), self._value.encode())
        if fits:
            self._value = ""
        return fits
