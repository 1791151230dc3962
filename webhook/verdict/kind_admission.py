"""How one kind is admitted: its subject, rules, warnings and defaults, and which updates need no validation."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec

from shared import names
from shared.kinds import Kind
from shared.model.types import Body
from shared.resource_steps.allowed import AllowedKind
from webhook.envelope.patch import Setting
from webhook.envelope.review import AdmissionReview, Operation
from webhook.policies.deletions import may_be_refused
from webhook.rules import Notice, Rule, Warner
from webhook.subject.lookups import Lookups, MissingObject
from webhook.subject.policy_subjects import ExceptionSubject, PolicySubject
from webhook.subject.subjects import FlowSubject, JobSubject, PodSubject, Subject, body_or_empty


class AdmissionOptions(msgspec.Struct, frozen=True):
    """The operator's settings that verdicts depend on. `now`: epoch seconds; None: no warnings about future due times."""

    scheduler_names: tuple[str, ...] = (names.DEFAULT_SCHEDULER,)
    volcano_crds: bool = False  # Volcano's CRDs are installed; they default `queue` (docs/design/decisions.md, row 26)
    disabled_plugins: tuple[str, ...] = ()
    in_process_policies: bool = False  # the API server enforces JobFlowPolicies, too (see webhook.inprocess)
    now: float | None = None
    resource_kinds: tuple[AllowedKind, ...] | None = None  # None: not known, as without a cluster
    in_process_rules: bool = False  # and so it does with their `rules`
    controller_user: str = ""  # the controller's name in requests; "" for not known


DEFAULT_OPTIONS: Final = AdmissionOptions()

Make = Callable[[AdmissionReview, Body, Lookups, AdmissionOptions], Subject[Any]]
Defaults = Callable[[Any, AdmissionOptions], Iterable[Setting]]


@dataclass(frozen=True, eq=False)
class KindAdmission:
    """Admission of one kind. `subject` raises msgspec.ValidationError if the object does not match the schema.

    `rules` judge creations and updates, `create` and `update` only one of the two.
    `structure`: those rules that ValidatingAdmissionPolicies of the chart (see webhook/structure) or formats of the schema
    judge, too.
    `judged` returns the part of an object that rules read: an UPDATE that leaves it unchanged is allowed.
    `idle` returns rules and warners that find nothing in the subject, because it has nothing of what they read.
    `missing` returns the objects whose absence may cause a refusal. `implied` returns the review of a change that the
    admission of the object causes; it must be allowed too.
    """

    kind: Kind
    subject: Make
    rules: tuple[Rule, ...] = ()
    create: tuple[Rule, ...] = ()
    update: tuple[Rule, ...] = ()
    delete: tuple[Rule, ...] = ()
    structure: frozenset[Rule] = frozenset()
    warnings: tuple[Warner, ...] = ()
    delete_warnings: tuple[Warner, ...] = ()
    notices: tuple[Notice, ...] = ()
    defaults: Defaults = lambda subject, options: ()
    judged: Callable[[Body], Any] = lambda body: body.get("spec")
    idle: Callable[[Any], frozenset[Callable[[Any], Any]]] = lambda subject: frozenset()
    missing: Callable[[Any], Iterable[MissingObject]] = lambda subject: ()
    implied: Callable[[Any, AdmissionReview], AdmissionReview | None] = lambda subject, review: None

    def active_rules(self, subject: Subject[Any]) -> tuple[Rule, ...]:
        """The rules that judge the subject and may find something, in their order."""
        return _active_rules(self, subject.operation, self.idle(subject))

    def active_warners(self, subject: Subject[Any]) -> tuple[Warner, ...]:
        """What may warn about the operation on the subject."""
        return _active_warners(self, subject.operation, self.idle(subject))

    def structural(self, operation: Operation) -> tuple[Rule, ...]:
        """The rules of `structure` that judge an operation."""
        return _structural(self, operation)

    def rules_of(self, operation: Operation) -> tuple[Rule, ...]:
        """The rules that judge an operation, in their order."""
        if operation is Operation.DELETE:
            return self.delete
        return (*self.rules, *(self.create if operation is Operation.CREATE else self.update))

    def warnings_of(self, operation: Operation) -> tuple[Warner, ...]:
        """What warns about an operation."""
        return self.delete_warnings if operation is Operation.DELETE else self.warnings


@cache
def _active_rules(admission: KindAdmission, operation: Operation, idle: frozenset[Any]) -> tuple[Rule, ...]:
    return tuple(rule for rule in admission.rules_of(operation) if rule not in idle)


@cache
def _active_warners(admission: KindAdmission, operation: Operation, idle: frozenset[Any]) -> tuple[Warner, ...]:
    return tuple(warner for warner in admission.warnings_of(operation) if warner not in idle)


@cache
def _structural(admission: KindAdmission, operation: Operation) -> tuple[Rule, ...]:
    return tuple(rule for rule in admission.rules_of(operation) if rule in admission.structure)


def spec_of(body: Body, model: Any) -> Any:
    """`spec` of an object as `model`. Raises msgspec.ValidationError."""
    spec = body.get("spec")
    return msgspec.convert({} if spec is None else spec, model)


def command_of(body: Body, model: Any) -> Any:
    """A Command, whose fields are at top level, as `model`. Raises msgspec.ValidationError."""
    return msgspec.convert({key: value for key, value in body.items() if key != "metadata"}, model)


def _old(read: Callable[[Body, Any], Any], body: Body | None, model: Any) -> Any:
    """The stored spec; None if there is none or it does not match the current schema."""
    try:
        return None if body is None else read(body, model)
    except msgspec.ValidationError:
        return None


_FIELDS: Final[Mapping[Callable[..., Any], Callable[[AdmissionReview, AdmissionOptions], Mapping[str, Any]]]] = {
    FlowSubject: lambda review, options: {
        "username": review.user_info.username,
        "resource_kinds": options.resource_kinds,
    },
    JobSubject: lambda review, options: {
        "scheduler_names": options.scheduler_names,
        "disabled_plugins": options.disabled_plugins,
    },
    PodSubject: lambda review, options: {"scheduler_names": options.scheduler_names},
    PolicySubject: lambda review, options: {"dry_run": bool(review.dry_run)},
    ExceptionSubject: lambda review, options: {"now": options.now},
}
"""By subject, its fields besides those that every subject has."""


def subject_maker(
    make: Callable[..., Any], model: Any, read: Callable[[Body, Any], Any] = spec_of, **more: Any
) -> Make:
    """A function that builds the subject `make` from a review; `read` converts the object to `model`."""

    def subject(review: AdmissionReview, body: Body, lookups: Lookups, options: AdmissionOptions) -> Any:
        own = _FIELDS.get(make)
        return make(
            raw=body,
            spec=read(body, model),
            operation=review.operation,
            lookups=lookups,
            namespace=review.namespace or str(body_or_empty(body.get("metadata")).get("namespace") or ""),
            old=review.old_object,
            old_spec=_old(read, review.old_object, model),
            **more,
            **(own(review, options) if own else {}),
        )

    return subject


def being_deleted(review: AdmissionReview) -> bool:
    """Whether the UPDATE is of an object that is being deleted, as the removal of a finalizer. It is always allowed."""
    updates = review.operation is Operation.UPDATE and review.object is not None
    return updates and bool(body_or_empty((review.object or {}).get("metadata")).get("deletionTimestamp"))


def policies_judge(review: AdmissionReview, lookups: Lookups, options: AdmissionOptions) -> bool:
    """Whether policies judge the request: every creation and update, and some deletions."""
    return review.operation is not Operation.DELETE or may_be_refused(review, lookups, options.controller_user)


def unchanged(admission: KindAdmission, review: AdmissionReview) -> bool:
    """Whether the UPDATE leaves the parts that the webhook's own rules read unchanged. Policies may read other parts."""
    if review.operation is not Operation.UPDATE or review.object is None or review.old_object is None:
        return False
    return bool(admission.judged(review.object) == admission.judged(review.old_object))
