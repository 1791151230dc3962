"""Authentication by bearer token, and authorization by RBAC over the stored roles and bindings."""

import secrets
from collections.abc import Callable, Iterator

from local.apiserver.call import ADMIN, User
from local.apiserver.errors import StatusError, forbidden, unauthorized
from local.apiserver.storage.store import ObjectStore, StoredObject
from shared.model.types import Body

_RBAC = "rbac.authorization.k8s.io"
AUTHENTICATED = "system:authenticated"
_EVERYONE = {
    "/healthz", "/livez", "/readyz", "/version", "/version/", "/api", "/apis", "/openapi/v2", "/openapi/v3",
}  # fmt: skip
_REVIEWS = {"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}


class AuthorizationAttributes:
    """A request for the authorizer: a resource with its names or, where `path` is set, a non-resource URL."""

    def __init__(
        self,
        verb: str,
        group: str = "",
        resource: str = "",
        subresource: str = "",
        namespace: str = "",
        name: str = "",
        path: str = "",
    ) -> None:
        self.verb, self.group, self.resource, self.subresource = verb, group, resource, subresource
        self.namespace, self.name, self.path = namespace, name, path

    @property
    def shown(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Authenticator:
    """Tokens and roles. `enforced`: whether RBAC is on."""

    def __init__(self, store: ObjectStore, enforced: Callable[[], bool]) -> None:
        self.store = store
        self.enforced = enforced
        self.admin_token = secrets.token_urlsafe(24)
        self.tokens: dict[str, User] = {self.admin_token: ADMIN}

    def token_for(self, user: User) -> str:
        """A new token of this user."""
        token = secrets.token_urlsafe(24)
        self.tokens[token] = user
        return token

    def service_account(self, namespace: str, name: str, uid: str = "") -> str:
        """A new token of a service account."""
        return self.token_for(service_account_user(namespace, name, uid))

    def identify(self, authorization: str) -> User | None:
        """The user of an Authorization header; None without one. Raises StatusError 401 for an unknown token."""
        if not authorization:
            return None
        scheme, _, token = authorization.partition(" ")
        user = self.tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        return user

    def authorize(self, user: User, asks: AuthorizationAttributes) -> None:
        """Raise the API server's 403 when RBAC is on and no binding allows the request."""
        if self.enforced() and not self.allowed(user, asks):
            raise refusal(user, asks)

    def allowed(self, user: User, asks: AuthorizationAttributes) -> bool:
        if "system:masters" in user.groups or user.name.startswith("system:serviceaccount:kube-system:"):
            return True
        if asks.path:
            return _public(asks.path) or any(_path_fits(rule, asks) for rule in self.rules(user, ""))
        if asks.resource in _REVIEWS and asks.verb == "create":
            return True
        return any(_rule_fits(rule, asks) for rule in self.rules(user, asks.namespace))

    def rules(self, user: User, namespace: str) -> Iterator[Body]:
        """Every policy rule that binds this user in the namespace ("": cluster-wide only)."""
        for entry in self.store.bucket((_RBAC, "clusterrolebindings")).objects.values():
            if _binds(entry, user, ""):
                yield from self._role(entry.obj["roleRef"], "")
        if namespace:
            for entry in self.store.bucket((_RBAC, "rolebindings")).by_namespace.get(namespace, {}).values():
                if _binds(entry, user, namespace):
                    yield from self._role(entry.obj["roleRef"], namespace)

    def _role(self, reference: Body, namespace: str) -> Iterator[Body]:
        if reference["kind"] == "ClusterRole":
            entry = self.store.get((_RBAC, "clusterroles"), "", reference["name"])
        else:
            entry = self.store.get((_RBAC, "roles"), namespace, reference["name"])
        yield from (entry.obj.get("rules") or ()) if entry is not None else ()


def service_account_user(namespace: str, name: str, uid: str = "") -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(f"system:serviceaccount:{namespace}:{name}", groups, uid)


def _binds(entry: StoredObject, user: User, namespace: str) -> bool:
    for subject in entry.obj.get("subjects") or ():
        kind, name = subject.get("kind"), subject.get("name")
        if kind == "User" and name == user.name:
            return True
        if kind == "Group" and name in user.groups:
            return True
        within = subject.get("namespace") or namespace
        if kind == "ServiceAccount" and user.name == f"system:serviceaccount:{within}:{name}":
            return True
    return False


def _public(path: str) -> bool:
    return path in _EVERYONE or path.startswith(("/api/", "/apis/", "/openapi/", "/healthz/", "/readyz/", "/livez/"))


def _path_fits(rule: Body, asks: AuthorizationAttributes) -> bool:
    verbs = rule.get("verbs") or ()
    paths = rule.get("nonResourceURLs") or ()
    fits = any(path == asks.path or (path.endswith("*") and asks.path.startswith(path[:-1])) for path in paths)
    return fits and ("*" in verbs or asks.verb in verbs)


def _rule_fits(rule: Body, asks: AuthorizationAttributes) -> bool:
    verbs, groups = rule.get("verbs") or (), rule.get("apiGroups") or ()
    resources, names = rule.get("resources") or (), rule.get("resourceNames") or ()
    wanted = {"*", asks.shown} | ({f"*/{asks.subresource}"} if asks.subresource else set())
    return (
        ("*" in verbs or asks.verb in verbs)
        and ("*" in groups or asks.group in groups)
        and any(resource in wanted for resource in resources)
        and (not names or asks.name in names)
    )


def refusal(user: User, asks: AuthorizationAttributes) -> StatusError:
    """403 with kube-apiserver's text."""
    if asks.path:
        message = f'forbidden: User "{user.name}" cannot {asks.verb} path "{asks.path}"'
        return StatusError(403, "Forbidden", message, {})
    where = f'in the namespace "{asks.namespace}"' if asks.namespace else "at the cluster scope"
    why = f'User "{user.name}" cannot {asks.verb} resource "{asks.shown}" in API group "{asks.group}" {where}'
    return forbidden(asks.group, asks.resource, asks.name, why)
