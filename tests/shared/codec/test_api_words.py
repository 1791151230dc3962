"""Type errors in terms of the API."""

from typing import Any

import msgspec
import pytest

from shared.codec.api_words import fault_text, in_api_words
from shared.codec.plural import number_of, verb
from shared.model.command import Command
from shared.model.flow import JobFlowSpec
from shared.model.types import Model

WORDS = {
    "Expected `str`, got `bool`": "must be a string, not a boolean; write the value in quotes",
    "Expected `str | object`, got `int`": "must be a string or an object, not an integer; write the value in quotes",
    "Expected `bool`, got `str`": "must be a boolean, not a string; write true or false, without quotes",
    "Expected `int`, got `str`": "must be an integer, not a string; write a number, without quotes",
    "Expected `int`, got `float`": "must be an integer, not a number",
    "Expected `array`, got `str`": "must be a list, not a string; write a list, each item after a dash",
    "Expected `object`, got `array`": "must be an object, not a list; write the fields themselves, without a dash",
    "Expected `object`, got `str`": "must be an object, not a string; write its fields below it",
    "Expected `int | null`, got `object`": "must be an integer or null, not an object",
    "Expected `int` >= 1": "must be an integer >= 1",
    "Expected `str` of length <= 63": "must be a string of length <= 63",
    "Expected `str` matching regex '^a$'": "must be a string that matches '^a$'",
    "Object missing required field `name`": "the field name is required; add it",
    "Object contains unknown field `nmae`": "unknown field nmae; remove it",
    "Invalid enum value 'Maybe'": "'Maybe' is not a supported value",
    "something else": "something else",
}


@pytest.mark.parametrize(("message", "expected"), WORDS.items(), ids=WORDS.keys())
def test_messages_in_the_words_of_the_api(message: str, expected: str) -> None:
    assert in_api_words(message) == expected


FAULTY: list[tuple[Any, type[Model], str]] = [
    ({"flows": [{"name": True}]}, JobFlowSpec, "flows[0].name: must be a string, not a boolean"),
    ({"flows": {"name": "a"}}, JobFlowSpec, "flows: must be a list, not an object"),
    ({"flows": [{}]}, JobFlowSpec, "flows[0]: the field name is required; add it"),
    ({"parallelism": -1}, JobFlowSpec, "parallelism: must be an integer >= 0"),
    ({"failureStrategy": "Maybe"}, JobFlowSpec, "failureStrategy: 'Maybe' is not a supported value"),
    ({"action": 1}, Command, "action: must be a string, not an integer; write the value in quotes"),
    ([], Command, "must be an object, not a list; write the fields themselves, without a dash"),
]


@pytest.mark.parametrize(("body", "model", "expected"), FAULTY)
def test_faults_of_real_objects_name_no_type_of_python(body: Any, model: type[Model], expected: str) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(body, model)

    said = fault_text(str(raised.value))
    assert said.startswith(expected)
    assert "`" not in said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 pods are bound"), (1, "1 pod is bound"), (2, "2 pods are bound"), (11, "11 pods are bound")],
)
def test_noun_and_verb_agree_with_the_number(number: int, said: str) -> None:
    assert f"{number_of(number, 'pod')} {verb(number, 'is', 'are')} bound" == said
