"""Pages from templates. Values are always escaped: no template and no handler marks text of the cluster as HTML."""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from drawing.phase_style import SYMBOLS
from shared.duration import age, lasted
from shared.model.phases import StepPhase
from web.addresses import address_in
from web.context import SESSION, SETTINGS, TEMPLATES
from web.navigation import SECTIONS
from web.views.notices import notice

FOLDER: Final = Path(__file__).parent / "templates"
_SYMBOLS: Final = {
    **{str(phase): symbol for phase, symbol in SYMBOLS.items()},
    "Succeed": SYMBOLS[StepPhase.COMPLETED],
    "Succeeded": SYMBOLS[StepPhase.COMPLETED],
    "Terminating": SYMBOLS[StepPhase.TERMINATED],
    "Restarting": SYMBOLS[StepPhase.RETRYING],
    "Aborted": SYMBOLS[StepPhase.SUSPENDED],
    "Open": SYMBOLS[StepPhase.COMPLETED],
    "Closed": SYMBOLS[StepPhase.SKIPPED],
}


def environment(base_path: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )

    made.filters["iso"] = _iso
    made.globals.update(
        url=partial(address_in, base_path),
        symbols=_SYMBOLS,
        age=age,
        lasted=lasted,
        sections=SECTIONS,
        base_path=base_path,
    )
    for name in made.list_templates():
        made.get_template(name)  # compiled now, and not while somebody waits for the first page
    return made


def _without_notice(request: web.Request, base_path: str) -> str:
    """The address of this page below the base path, for forms that lead back to it."""
    url = request.rel_url.without_query_params("did", "of")
    return url.raw_path_qs.removeprefix(base_path) or "/"


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def page(
    request: web.Request, template: str, values: Mapping[str, Any] | None = None, *, status: int = 200
) -> web.Response:
    """The page of a template. `section` in the values: the entry of the navigation that is marked."""
    session = request.get(SESSION)
    settings = request.app[SETTINGS]
    known = {
        "csrf": session.csrf if session else "",
        "user": session.user if session else "",
        "signed_in": session is not None,
        "read_only": settings.read_only,
        "laptop": settings.laptop,
        "offline": settings.offline,
        "section": "",
        "topics": (),
        "here": _without_notice(request, settings.base_path),
        "notice": notice(request.query.get("did", ""), request.query.get("of", "")),
    }
    text = request.app[TEMPLATES].get_template(template).render({**known, **(values or {})})
    return web.Response(text=text, content_type="text/html", status=status)
