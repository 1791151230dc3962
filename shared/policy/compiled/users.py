"""`match.users`: the users whose requests a policy judges."""

from collections.abc import Iterable
from typing import Final

import msgspec

from shared.model.policy import MatchUsers
from shared.policy.patterns.globs import Globs, globs

_ACCOUNT: Final = "system:serviceaccount:"


class CompiledUsers(msgspec.Struct, frozen=True):
    """`service_accounts`: NAMESPACE/NAME."""

    names: Globs
    groups: Globs
    service_accounts: Globs

    def fit(self, username: str, groups: Iterable[str]) -> bool:
        """Whether the user is one of them; "" is none."""
        account = username.removeprefix(_ACCOUNT).replace(":", "/") if username.startswith(_ACCOUNT) else ""
        return bool(username) and (
            self.names.fits(username)
            or self.groups.fits(*groups)
            or (bool(account) and self.service_accounts.fits(account))
        )


def compile_users(users: MatchUsers | None) -> CompiledUsers | None:
    """None for all users."""
    if users is None or users == MatchUsers():
        return None
    return CompiledUsers(globs(users.names), globs(users.groups), globs(users.service_accounts))
