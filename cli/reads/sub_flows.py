"""The JobFlows that steps of a JobFlow run."""

from cli.client import Session
from drawing.nested import runs_flows, with_sub_flows
from shared.kinds import JOBFLOW
from shared.model.types import Body
from shared.names import CREATED_BY_FLOW


async def sub_flows(session: Session, flow: Body) -> list[Body]:
    """The JobFlows of the namespace that steps created, if a step of `flow` runs flows."""
    if not runs_flows(flow):
        return []
    return [one async for one in session.api.list(JOBFLOW, session.namespace, label_selector=CREATED_BY_FLOW)]


async def opened(session: Session, flow: Body) -> Body:
    """The flow with the steps of its sub-flows in place."""
    return with_sub_flows(flow, await sub_flows(session, flow))
