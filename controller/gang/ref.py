"""What names a namespaced object in deciding code. Equal to, and hashed as, the cache's own key."""

from typing import NamedTuple


class Ref(NamedTuple):
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
