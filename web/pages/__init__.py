"""The handlers of all pages by method and path, below the base path. Patterns are aiohttp's."""

from typing import Final

from web.pages import check, jobs, live, logs, namespaces, object_yaml, policies, queues, schedules, templates
from web.pages.actions import answer, bulk, press, runs
from web.pages.flows import listing, page, pictures, step

ROUTES: Final = (
    ("GET", "/drawing.css", pictures.drawing_styles),
    ("GET", "/check", check.form),
    ("POST", "/check", check.check),
    ("GET", "/live", live.live),
    ("GET", "/flows", listing.flows),
    ("GET", "/flows/{namespace}/{name}", page.flow),
    ("GET", "/flows/{namespace}/{name}/steps/{step}", step.step),
    ("GET", "/jobs", jobs.jobs),
    ("GET", "/jobs/{namespace}/{name}", jobs.job),
    ("GET", "/queues", queues.queues),
    ("GET", "/templates", templates.templates),
    ("GET", "/templates/{namespace}/{name}", templates.flow_template),
    ("GET", "/namespaces", namespaces.namespaces),
    ("GET", "/policies", policies.policies),
    ("GET", "/schedules", schedules.schedules),
    ("GET", "/schedules/{plural}/{namespace}/{name}", schedules.schedule),
    ("GET", "/logs/{namespace}/{job}", logs.download),
    ("GET", "/logs/{namespace}/{job}/follow", logs.follow),
    ("GET", "/yaml/{plural}/{namespace}/{name}", object_yaml.download),
    ("POST", "/flows", bulk.bulk),
    ("POST", "/flows/{namespace}/{name}/run-again", runs.run_again),
    ("POST", "/flows/{namespace}/{name}/steps/{step}/retry", press.retry_step),
    ("POST", "/flows/{namespace}/{name}/steps/{step}/answer", answer.answer_step),
    ("POST", "/templates/{namespace}/{name}/run", runs.run_template),
    ("POST", "/schedules/{plural}/{namespace}/{name}/run", runs.run_schedule),
    ("POST", "/schedules/cronjobflows/{namespace}/{name}/backfill", runs.backfill),
    ("POST", "/act/{plural}/{namespace}/{name}/{button}", press.act),
)
