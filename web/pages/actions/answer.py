"""The answer of a person for a step that waits for approval."""

from aiohttp import web

from shared.actions.flow_messages import approval_of
from shared.kinds import JOBFLOW
from shared.model.phases import FlowAction
from shared.names import APPROVER
from web.cluster.acting import send_command
from web.context import caller
from web.faults import TooLate
from web.pages.actions.returning import back_from
from web.pages.queries import may_write

_LONGEST = 1024
_VERBS = {"approve": True, "reject": False}


async def answer_step(request: web.Request) -> web.StreamResponse:
    """Approve or reject the attempt of the step that the page showed. Raises TooLate where another one waits now."""
    may_write(request)
    posted = await request.post()
    where, verb = request.match_info, str(posted.get("answer", ""))
    if verb not in _VERBS:
        raise web.HTTPBadRequest(reason=f"answer with one of {', '.join(_VERBS)}")
    who = caller(request)
    body = await who.api.get(JOBFLOW, where["namespace"], where["name"])
    text = str(posted.get("message", "")).strip()[:_LONGEST]
    try:
        message = approval_of(body, where["step"], approved=_VERBS[verb], text=text)
    except ValueError as fault:
        raise TooLate(str(fault)) from fault
    if str(posted.get("attempt", "")) != str(message.attempt):
        raise TooLate(f"step {where['step']} asks again: this is attempt {message.attempt}")
    annotations = {APPROVER: await who.who_am_i()}
    await send_command(who.api, JOBFLOW, body, FlowAction.APPROVE, verb, message, annotations)
    return await back_from(request, f"step.{verb}")
