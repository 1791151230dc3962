"""Patches that let a pod go."""

from typing import Any

from controller.decision import Patch
from controller.gang.member import Member
from shared import names
from shared.kinds import POD


def lift(member: Member, pod: dict[str, Any]) -> Patch:
    """Take our gate away, and only ours. `pod`: as stored; a JSON patch, since merge patches replace the whole list."""
    gates = [each.get("name") for each in (pod.get("spec") or {}).get("schedulingGates") or ()]
    index = gates.index(names.GANG_GATE)
    place = f"/spec/schedulingGates/{index}"
    patch = [
        {"op": "test", "path": f"{place}/name", "value": names.GANG_GATE},
        {"op": "remove", "path": place},
    ]
    return Patch(POD, member.ref.namespace, member.ref.name, patch, uid=member.uid)
