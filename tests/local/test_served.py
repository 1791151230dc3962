"""What is waited for before a real control plane counts as started."""

from pathlib import Path

import pytest

from local.served import USED_BY_KUBECTL, ServedPath, missing, openapi_of

GOOD = {each.path: b'{"%s": {"x": 1}}' % each.key.encode() for each in USED_BY_KUBECTL}


def served(answers: dict[str, bytes]) -> list[str]:
    def get(path: str) -> bytes:
        if path not in answers:
            raise OSError("HTTP Error 503: Service Unavailable")
        return answers[path]

    return missing(get, USED_BY_KUBECTL)


def test_nothing_is_missing_from_a_server_that_serves_all() -> None:
    assert served(GOOD) == []


BROKEN = {
    "not served": ({}, "/openapi/v2: HTTP Error 503: Service Unavailable"),
    "no JSON": ({"/openapi/v2": b"{oops"}, "/openapi/v2: is not valid JSON"),
    "no definitions": ({"/openapi/v2": b'{"swagger": "2.0"}'}, "/openapi/v2: has no definitions"),
    "not an object": ({"/openapi/v2": b"[]"}, "/openapi/v2: has no definitions"),
}


@pytest.mark.parametrize(("answer", "wanted"), BROKEN.values(), ids=BROKEN)
def test_what_is_missing_is_named(answer: dict[str, bytes], wanted: str) -> None:
    (line,) = served({path: body for path, body in GOOD.items() if path != "/openapi/v2"} | answer)
    assert line.startswith(wanted)


def test_the_documents_of_crds_are_waited_for() -> None:
    paths = openapi_of(Path("helm/jobflow/files/crds"))
    assert ServedPath("/openapi/v3/apis/flow.volcano.sh/v1alpha1", "components") in paths
