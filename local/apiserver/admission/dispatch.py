"""Dynamic admission: choose the webhooks for a request, call them in order, and apply their responses."""

import asyncio
import base64
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from local.apiserver.admission.webhookclient import CallFailed, WebhookClient
from local.apiserver.apply import jsonpatch
from local.apiserver.call import ApiRequest
from local.apiserver.errors import StatusError, bad_request, forbidden, internal
from local.apiserver.schema import decoding, matchconditions
from local.apiserver.storage.selectors import matches_labels
from local.apiserver.storage.store import ObjectStore, StoredObject
from local.apiserver.types.schemas import Definitions
from shared.model.types import Body

_GROUP = "admissionregistration.k8s.io"
_EXEMPT = {
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
}
_REVIEWS = {"authentication.k8s.io", "authorization.k8s.io"}


@dataclass
class AdmissionRequest:
    """A request under admission: the operation and the object before and after it (None where there is none)."""

    call: ApiRequest
    operation: str
    obj: Body | None
    old: Body | None
    name: str = ""
    options: Body = field(default_factory=dict)

    def request(self, uid: str) -> Body:
        call, resource = self.call, self.call.resource
        kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        where = {"group": resource.group, "version": resource.version, "resource": resource.plural}
        if call.subresource == "binding":
            kind = {"group": "", "version": "v1", "kind": "Binding"}
        found: Body = {
            "uid": uid,
            "kind": kind,
            "resource": where,
            "requestKind": kind,
            "requestResource": where,
            "operation": self.operation,
            "userInfo": call.user.info,
            "object": self.obj,
            "oldObject": self.old,
            "dryRun": call.dry_run,
            "options": self._options(),
        }
        if call.subresource:
            found["subResource"] = found["requestSubResource"] = call.subresource
        if self.name:
            found["name"] = self.name
        if call.namespace or (resource.gr == ("", "namespaces") and self.name):
            found["namespace"] = call.namespace or self.name
        return found

    def _options(self) -> Body:
        if self.operation == "CONNECT":
            return {}
        kind = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}[self.operation]
        if self.operation == "UPDATE" and self.call.verb == "patch":
            kind = "PatchOptions"
        options = {"apiVersion": "meta.k8s.io/v1", "kind": kind, **self.options}
        for key in ("fieldManager", "fieldValidation"):
            if self.call.query.get(key) and kind != "DeleteOptions":
                options[key] = self.call.query[key]
        if self.call.dry_run:
            options["dryRun"] = ["All"]
        return options


class WebhookAdmission:
    """Calls the webhooks of the stored configurations."""

    def __init__(self, store: ObjectStore, definitions: Definitions) -> None:
        self.store = store
        self.definitions = definitions
        self.client = WebhookClient(store)

    def hooks(self, plural: str) -> list[Body]:
        """All webhooks of this type, by configuration name, then in their order."""
        entries = self.store.bucket((_GROUP, plural)).entries("")
        return [hook for entry in entries for hook in entry.obj.get("webhooks") or ()]

    def _relevant(self, plural: str, review: AdmissionRequest) -> Iterator[Body]:
        resource = review.call.resource
        if (resource.group == _GROUP and resource.plural in _EXEMPT) or resource.group in _REVIEWS:
            return
        for hook in self.hooks(plural):
            if any(_rule_fits(rule, review) for rule in hook.get("rules") or ()) and self._selected(hook, review):
                yield hook

    def _selected(self, hook: Body, review: AdmissionRequest) -> bool:
        if not self._namespace_selected(hook.get("namespaceSelector"), review):
            return False
        selector = hook.get("objectSelector")
        if selector:
            objects = [obj for obj in (review.obj, review.old) if obj is not None]
            if not any(matches_labels(selector, (obj.get("metadata") or {}).get("labels") or {}) for obj in objects):
                return False
        conditions = hook.get("matchConditions")
        return not conditions or self._conditions(hook, conditions, review)

    def _namespace_selected(self, selector: Body | None, review: AdmissionRequest) -> bool:
        call = review.call
        if not selector:
            return True
        if call.gr == ("", "namespaces"):
            if review.obj is not None:
                return matches_labels(selector, (review.obj.get("metadata") or {}).get("labels") or {})
            entry = self.store.get(call.gr, "", review.name)
        elif not call.namespace:
            return True
        else:
            entry = self.store.get(("", "namespaces"), "", call.namespace)
        return matches_labels(selector, entry.meta.get("labels") or {} if entry is not None else {})

    def _conditions(self, hook: Body, conditions: list[Body], review: AdmissionRequest) -> bool:
        verdict, error = matchconditions.all_match(conditions, review.request(""))
        if error and hook.get("failurePolicy", "Fail") == "Fail":
            raise forbidden(review.call.resource.group, review.call.resource.plural, review.name, error)
        return verdict and not error

    async def mutate(self, review: AdmissionRequest) -> Body | None:
        """The object after all mutating webhooks. Also updates `review.obj`."""
        relevant = list(self._relevant("mutatingwebhookconfigurations", review))
        called: list[Body] = []
        again: list[Body] = []
        for hook in relevant:
            changed = await self._mutate_one(hook, review)
            if changed:
                again += [
                    earlier
                    for earlier in called
                    if earlier.get("reinvocationPolicy") == "IfNeeded" and earlier not in again
                ]
            called.append(hook)
        for hook in again:
            if hook in list(self._relevant("mutatingwebhookconfigurations", review)):
                await self._mutate_one(hook, review)
        return review.obj

    async def _mutate_one(self, hook: Body, review: AdmissionRequest) -> bool:
        answer = await self._call(hook, review)
        if answer is None or not answer.get("patch") or review.obj is None:
            return False
        if answer.get("patchType") != "JSONPatch":
            raise internal(f'failed calling webhook "{hook["name"]}": invalid patch type')
        try:
            operations = orjson.loads(base64.b64decode(answer["patch"]))
            patched = jsonpatch.apply_json(orjson.loads(orjson.dumps(review.obj)), operations)
        except (ValueError, StatusError) as error:
            raise internal(str(error)) from None
        changed = patched != review.obj
        review.obj = decoding.redecode(review.call, patched, self.definitions)
        return changed

    async def validate(self, review: AdmissionRequest) -> None:
        """Call all validating webhooks concurrently. Raises the first refusal in the order of the configurations."""
        relevant = list(self._relevant("validatingwebhookconfigurations", review))
        if not relevant:
            return
        answers = await asyncio.gather(*(self._call(hook, review) for hook in relevant), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer

    async def _call(self, hook: Body, review: AdmissionRequest) -> Body | None:
        """The webhook's response if it allows; None if the call failed and failurePolicy is Ignore."""
        call, name = review.call, hook["name"]
        if call.dry_run and hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
            raise bad_request(f'admission webhook "{name}" does not support dry run')
        uid = str(uuid.uuid4())
        try:
            answer = await self.client.ask(hook, review.request(uid))
        except CallFailed as failure:
            if hook.get("failurePolicy", "Fail") == "Ignore":
                call.annotations[f"failed-open.{name}"] = str(failure)
                return None
            raise internal(f'failed calling webhook "{name}": {failure}') from None
        for text in answer.get("warnings") or ():
            call.warn(text)
        for key, value in (answer.get("auditAnnotations") or {}).items():
            call.annotations[f"{name}/{key}"] = value
        if not answer.get("allowed"):
            raise _denied(name, answer.get("status"))
        return answer


def _denied(name: str, status: Body | None) -> StatusError:
    found = status or {}
    denied = f'admission webhook "{name}" denied the request'
    code = found.get("code") or 0
    why = found.get("message") or found.get("reason")
    message = f"{denied}: {why}" if why else f"{denied} without explanation"
    return StatusError(max(code, 400), found.get("reason") or "", message, found.get("details"))


def _rule_fits(rule: Body, review: AdmissionRequest) -> bool:
    call, resource = review.call, review.call.resource
    namespaced = resource.namespaced and resource.gr != ("", "namespaces")
    scope = rule.get("scope") or "*"
    return (
        _among(resource.group, rule.get("apiGroups"))
        and _among(resource.version, rule.get("apiVersions"))
        and _among(review.operation, rule.get("operations"))
        and (scope == "*" or (scope == "Namespaced") is namespaced)
        and any(_resource_fits(pattern, resource.plural, call.subresource) for pattern in rule.get("resources") or ())
    )


def _among(value: str, allowed: list[str] | None) -> bool:
    return "*" in (allowed or ()) or value in (allowed or ())


def _resource_fits(pattern: str, plural: str, subresource: str) -> bool:
    wanted, _, inner = pattern.partition("/")
    return wanted in ("*", plural) and (inner == "*" or inner == subresource)


def review_of(
    call: ApiRequest, operation: str, obj: Body | None, old: StoredObject | None, name: str
) -> AdmissionRequest:
    return AdmissionRequest(call, operation, obj, old.copy() if old is not None else None, name)
