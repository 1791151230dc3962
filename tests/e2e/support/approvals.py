"""The Commands by which people answer for steps with `approve`."""

from shared.kinds import COMMAND, JOBFLOW
from shared.model.command_message import ApprovalDecision, ApproveMessage, written
from shared.model.types import Body
from shared.names import APPROVER


def approval(flow: Body, *, user: str = "jane", step: str = "release", attempt: int = 1, reject: bool = False) -> Body:
    """The Command of an answer."""
    metadata = flow["metadata"]
    decision = ApprovalDecision.REJECTED if reject else ApprovalDecision.APPROVED
    message = ApproveMessage(step=step, attempt=attempt, decision=decision, message="looks good")
    target = {"apiVersion": JOBFLOW.api_version, "kind": "JobFlow", "name": metadata["name"], "uid": metadata["uid"]}
    own = {"generateName": "answer-", "namespace": metadata["namespace"], "annotations": {APPROVER: user}}
    kind = {"apiVersion": COMMAND.api_version, "kind": COMMAND.kind}
    return {**kind, "metadata": own, "action": "ApproveStep", "target": target, "message": written(message)}
