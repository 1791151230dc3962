"""Admission of Commands. The change that a Command makes to a JobFlow must be allowed too."""

from typing import Final

import msgspec

from shared import kinds
from shared.model.command import Command
from webhook import rules
from webhook.envelope.review import AdmissionReview, GroupKind, Operation
from webhook.subject.commanded_flow import changed_flow
from webhook.subject.plain_subjects import CommandSubject
from webhook.verdict.kind_admission import KindAdmission, command_of, subject_maker


def _retried_flow(command: CommandSubject, review: AdmissionReview) -> AdmissionReview | None:
    """The update of the JobFlow that a RetryJobFlow with new params or a new deadline makes."""
    change = changed_flow(command)
    if change is None:
        return None
    kind = GroupKind(kinds.JOBFLOW.group, kinds.JOBFLOW.version, kinds.JOBFLOW.kind)
    name = str(change[0]["metadata"]["name"])
    return msgspec.structs.replace(
        review, operation=Operation.UPDATE, kind=kind, name=name, old_object=change[0], object=change[1]
    )


COMMAND: Final = KindAdmission(
    kinds.COMMAND,
    subject_maker(CommandSubject, Command, command_of),
    create=rules.COMMAND_RULES,
    judged=lambda body: None,
    implied=_retried_flow,
)
