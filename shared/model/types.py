"""Building blocks of the API models: the base class and the annotated scalars of several kinds.

`Meta` contains what the CRD generator needs (description, bounds, format). Patterns are in `extra_json_schema`, which the
schema uses and decoding does not, because a template may contain `$(params.x)` at such a place.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta


class Model(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of every API type: immutable, JSON names in camelCase. Fields with their default value are not written."""


# The bounds beside this format give a clearer error message than the format itself.
INT32 = {"format": "int32"}
MOST_INT32 = 2**31 - 1
WHOLE = {"x-kubernetes-preserve-unknown-fields": True}
DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"

Int32 = Annotated[int, Meta(ge=-MOST_INT32 - 1, le=MOST_INT32, extra_json_schema=INT32)]
Count = Annotated[int, Meta(ge=0, le=MOST_INT32, extra_json_schema=INT32)]
Positive = Annotated[int, Meta(ge=1, le=MOST_INT32, extra_json_schema=INT32)]
Int64 = Annotated[int, Meta(extra_json_schema={"format": "int64"})]
Port = Annotated[int, Meta(ge=0, le=65535, extra_json_schema=INT32)]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time", "nullable": True})]
# A Go duration: "1h30m", "300ms". Parsed by webhook rules, because a pattern would refuse texts that Volcano accepts.
Duration = Annotated[str, Meta(extra_json_schema={"format": "duration-go"})]
Quantity = Annotated[str | int, Meta(extra_json_schema={"x-kubernetes-int-or-string": True})]
IntOrString = Annotated[int | str, Meta(extra_json_schema={"x-kubernetes-int-or-string": True})]
ResourceList = Annotated[dict[str, Quantity], Meta(description="Amounts by resource name, in Kubernetes quantities.")]
Raw = Annotated[dict[str, Any], Meta(extra_json_schema=WHOLE)]
Labels = dict[str, str]
# An object of the API as JSON, or a part of one.
Body = dict[str, Any]
ReadOnlyBody = Mapping[str, Any]
