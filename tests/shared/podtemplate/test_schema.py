"""The compiled schemas: every exemption exists, and nothing is compiled twice."""

from shared.podtemplate import schema


def test_every_exemption_names_a_field_that_the_schema_requires() -> None:
    exempt = schema._ZERO_WILL_DO | schema._SAID_ELSEWHERE
    stale = {(kind, name) for kind, name in exempt if name not in schema.definitions()[kind].get("required", ())}
    assert stale == set()


def test_schemas_are_compiled_once() -> None:
    assert schema._compiled(schema.TEMPLATE) is schema._compiled(schema.TEMPLATE)
    assert schema.definitions() is schema.definitions()


def test_whole_numbers_of_any_spelling_are_integers() -> None:
    ports = [{"containerPort": 80.0}, {"containerPort": 80.5}, {"containerPort": True}]
    faults = schema.wrong_types({"spec": {"containers": [{"name": "c", "ports": ports}]}}, "T")
    assert [fault.path for fault in faults] == [
        f"T.spec.containers[0].ports[{index}].containerPort" for index in (1, 2)
    ]


def test_a_value_may_be_null_wherever_it_may_be_absent() -> None:
    nothing = {
        "metadata": None,
        "spec": {"volumes": None, "nodeSelector": {"a": None}, "containers": [{"args": [None]}]},
    }
    assert list(schema.wrong_types(nothing, "T")) == []
