"""The phases of the Jobs of a namespace, in the order in which the API server reports them: shows which Job waited for
which."""

from local.client.blocking import BlockingClient, until
from shared.kinds import JOB
from shared.model.types import Body
from tests.e2e.support.namespace_watch import NamespaceWatch


class JobPhaseRecorder(NamespaceWatch):
    """Of the Jobs of one namespace; `moments` are (job, uid, phase), the phase "" for its creation."""

    def __init__(self, kube: BlockingClient, namespace: str, *, relist: bool = False) -> None:
        super().__init__(kube, JOB, namespace, relist=relist)
        self.moments: list[tuple[str, str, str]] = []

    def created(self, job: str) -> int:
        """When the Job was created: its place in the order."""
        return self._place(job, "")

    def reached(self, job: str, phase: str) -> int:
        """When the Job was first seen in that phase."""
        return self._place(job, phase)

    def creations(self) -> dict[str, int]:
        """How many Jobs (uids) were ever created under each name."""
        uids: dict[str, set[str]] = {}
        for name, uid, _ in self.moments:
            uids.setdefault(name, set()).add(uid)
        return {name: len(each) for name, each in uids.items()}

    def _place(self, job: str, phase: str) -> int:
        def look() -> int | None:
            places = [at for at, moment in enumerate(self.moments, 1) if (moment[0], moment[2]) == (job, phase)]
            return places[0] if places else None

        return until(look, 10, lambda: f"no {phase or 'creation'} of {job} in {self.moments}")

    def _note(self, body: Body, *, deleted: bool = False) -> None:
        meta, state = body["metadata"], ((body.get("status") or {}).get("state") or {}).get("phase", "")
        for phase in ("", state):
            moment = (meta["name"], meta["uid"], phase)
            if moment not in self.moments:
                self.moments.append(moment)
