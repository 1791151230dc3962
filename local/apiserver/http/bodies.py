"""Request bodies: read with a size limit, parsed by content type."""

from typing import Any

import orjson
import yaml
from aiohttp import web

from local.apiserver.errors import StatusError, bad_request
from local.apiserver.http import protobuf
from shared.model.types import Body

MAX_BODY = 3 * 1024 * 1024


def delete_options(query: dict[str, str], body: Any) -> Body:
    """DeleteOptions from the body, and from the query for clients that put them there."""
    if not isinstance(body, dict):
        raise bad_request("the delete options are not an object")
    options: Body = dict(body)
    if "gracePeriodSeconds" in query:
        options.setdefault("gracePeriodSeconds", int(query["gracePeriodSeconds"]))
    if "propagationPolicy" in query:
        options.setdefault("propagationPolicy", query["propagationPolicy"])
    if "orphanDependents" in query:
        options.setdefault("orphanDependents", query["orphanDependents"] == "true")
    return {key: value for key, value in options.items() if value is not None}


async def read(request: web.BaseRequest) -> bytes:
    """The body, at most 3 MiB of it."""
    if (request.content_length or 0) > MAX_BODY:
        raise _too_large()
    body = await request.read()
    if len(body) > MAX_BODY:
        raise _too_large()
    return body


def _too_large() -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {MAX_BODY}")


def parse(body: bytes, content_type: str) -> Any:
    """JSON or YAML by the content type. 415 for protobuf and the rest."""
    if content_type in ("application/yaml", "application/x-yaml"):
        try:
            return yaml.safe_load(body)
        except yaml.YAMLError as error:
            raise bad_request(f"error converting YAML to JSON: {error}") from None
    if content_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(body)
    if "json" not in content_type and content_type not in ("application/octet-stream", "text/plain", "*/*"):
        raise StatusError(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
        )
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise bad_request(
            f"the object provided is unrecognized (must be of type Object): couldn't get version/kind; json parse error: {error}"
        ) from None
