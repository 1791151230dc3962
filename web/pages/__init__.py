"""The handlers of all pages by method and path, below the base path. Patterns are aiohttp's."""

from typing import Final

from web.pages import check, deeds, flow, flow_list, flow_pictures, live

ROUTES: Final = (
    ("GET", "/drawing.css", flow_pictures.drawing_styles),
    ("GET", "/check", check.form),
    ("POST", "/check", check.check),
    ("GET", "/live", live.live),
    ("GET", "/flows", flow_list.flows),
    ("GET", "/flows/{namespace}/{name}", flow.flow),
    ("POST", "/flows", deeds.bulk),
    ("POST", "/flows/{namespace}/{name}/run-again", deeds.run_again),
    ("POST", "/flows/{namespace}/{name}/steps/{step}/retry", deeds.retry_step),
    ("POST", "/act/{plural}/{namespace}/{name}/{deed}", deeds.act),
)
