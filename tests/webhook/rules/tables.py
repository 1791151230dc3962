"""The cases of the tests of the rules, valid and invalid, by table."""

from typing import Any

from tests.webhook.rules import test_queue_rules
from tests.webhook.rules.flow import test_flow_parts, test_flow_rules, test_flow_warnings
from tests.webhook.rules.job import test_job_parts, test_job_rules, test_job_updates, test_job_warnings

TABLES: dict[str, dict[str, Any]] = {
    "flow refused": test_flow_rules.REFUSED,
    "flow refused for a part": test_flow_parts.REFUSED_PARTS,
    "flow expression": test_flow_rules.EXPRESSIONS,
    "flow accepted": test_flow_rules.ACCEPTED,
    "flow warned about": test_flow_warnings.WARNINGS,
    "job refused": test_job_rules.REFUSED,
    "job refused for a part": test_job_parts.REFUSED_PARTS,
    "job accepted": test_job_rules.ACCEPTED,
    "job's queue": test_job_updates.QUEUES,
    "job warned about": test_job_warnings.WARNINGS,
    "queue": test_queue_rules.QUEUES,
}
