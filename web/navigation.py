"""The sections of the site, in the order of the navigation."""

from typing import Final

import msgspec


class SiteSection(msgspec.Struct, frozen=True):
    """`name`: the first segment of its paths; `offline`: it works without a cluster."""

    name: str
    title: str
    offline: bool = False


SECTIONS: Final = (
    SiteSection("flows", "Flows"),
    SiteSection("jobs", "Jobs"),
    SiteSection("schedules", "Schedules"),
    SiteSection("templates", "Templates"),
    SiteSection("queues", "Queues"),
    SiteSection("policies", "Policies"),
    SiteSection("check", "Check", offline=True),
)
