"""An API request as decoded from its URL."""

from dataclasses import dataclass, field
from typing import Any

from local.apiserver.errors import bad_request
from local.apiserver.types.resources import Resource
from shared.model.types import Body


@dataclass(frozen=True)
class User:
    """The authenticated user."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""

    @property
    def info(self) -> Body:
        found: Body = {"username": self.name, "groups": list(self.groups)}
        if self.uid:
            found["uid"] = self.uid
        return found


ADMIN = User("kubernetes-admin", ("system:masters", "system:authenticated"))
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
GARBAGE_COLLECTOR = User(
    "system:serviceaccount:kube-system:generic-garbage-collector",
    ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
)
NAMESPACE_CONTROLLER = User(
    "system:serviceaccount:kube-system:namespace-controller",
    ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
)


@dataclass
class ApiRequest:
    """A request on one resource. `warnings` collects what goes out as Warning headers."""

    user: User
    verb: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)  # audit annotations, from webhooks
    internal: bool = False  # sent by the controllers inside the server
    options: Body = field(default_factory=dict)
    agent: str = ""  # the client's User-Agent
    keeps_ownership: bool = False  # a server-side apply, whose object comes with its managedFields

    @property
    def dry_run(self) -> bool:
        wanted = self.query.get("dryRun", "")
        if wanted not in ("", "All"):
            raise bad_request(f'Invalid value: "{wanted}": supported values: "All"')
        return wanted == "All" or "All" in (self.options.get("dryRun") or ())

    @property
    def field_validation(self) -> str:
        wanted = self.query.get("fieldValidation") or "Warn"
        if wanted not in ("Ignore", "Warn", "Strict"):
            raise bad_request(
                f'fieldValidation: Unsupported value: "{wanted}": supported values: "Ignore", "Warn", "Strict"'
            )
        return wanted

    @property
    def gr(self) -> tuple[str, str]:
        return self.resource.gr

    @property
    def manager(self) -> str:
        """The field manager: the one requested, or the client's name."""
        return self.query.get("fieldManager") or self.agent.partition("/")[0] or "unknown"

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


def truthy(text: Any) -> bool:
    return str(text).lower() in ("true", "1", "t")
