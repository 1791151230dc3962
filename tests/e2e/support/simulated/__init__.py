"""Flows that are both simulated and run: all cases by name."""

from typing import Final

from tests.e2e.support.simulated.approvals import APPROVALS
from tests.e2e.support.simulated.case import FlowCase
from tests.e2e.support.simulated.steps import STEPS
from tests.e2e.support.simulated.sub_flows import SUB_FLOWS

CASES: Final[dict[str, FlowCase]] = {**STEPS, **SUB_FLOWS, **APPROVALS}
