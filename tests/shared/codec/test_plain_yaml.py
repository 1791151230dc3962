"""The YAML of most kubeconfigs is read without the YAML library, and never otherwise than the library reads it."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.codec.plain_yaml import NotPlain, read

KUBECONFIG = """\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
    server: https://127.0.0.1:6443
  name: kind-kind
contexts:
- context: {context}
  name: "kind-kind"
current-context: kind-kind
kind: Config
preferences: {{}}
users:
  # of the administrator
  - name: kind-kind
    user:
      token: eyJhbGciOi.J9_-x
      client-certificate: /home/ann/.minikube/client.crt
      insecure-skip-tls-verify: true
"""
CONTEXT = "\n    cluster: kind-kind\n    user: kind-kind"


def test_a_kubeconfig_is_read_as_by_the_library() -> None:
    text = KUBECONFIG.format(context=CONTEXT)
    assert read(text) == read(f"---\n{text}") == yaml.safe_load(text)


LEFT_TO_THE_LIBRARY = {
    "a flow mapping": "{cluster: a, user: b}",
    "a number": "\n    cluster: 1",
    "a boolean of YAML 1.1": "\n    cluster: yes",
    "a word in capitals that is one": "\n    cluster: Off",
    "an alias": "\n    cluster: *a",
    "a tag": "\n    cluster: !!str a",
    "a block scalar": "\n    cluster: |\n      a",
    "a text over two lines": "\n    cluster: a\n      b",
    "a comment after a value": "\n    cluster: a # b",
    "an escape": '\n    cluster: "\\n"',
    "a key that is no text": "\n    on: a",
    "a deeper line": "\n    cluster: a\n     user: b",
    "a sequence in a mapping": "\n    cluster: a\n    - b",
    "a sequence in a sequence": "\n    - - a",
    "a tab": "\n    cluster:\ta",
    "a letter that is not ASCII": "\n    cluster: grün",
    "a line end of Windows": "\n    cluster: a\r\n    user: b",
    "very deep indentation": f"\n{' ' * 99}cluster: a",
}


@pytest.mark.parametrize("context", LEFT_TO_THE_LIBRARY.values(), ids=LEFT_TO_THE_LIBRARY.keys())
def test_what_it_does_not_know_is_left_to_the_library(context: str) -> None:
    with pytest.raises(NotPlain):
        read(KUBECONFIG.format(context=context))


WORDS = st.text("abcxyzABEFLNORSTUY/.:-_=+@%#'\"0159 ", min_size=1, max_size=6) | st.sampled_from(
    [
        "true",
        "null",
        "yes",
        "NO",
        "~",
        "{}",
        "[]",
        "a: b",
        "https://h:1",
        "''",
        '""',
        '"a b"',
        "1e3",
        "2026-01-01",
        "<<",
    ]
)
LINES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "  ", "    ", " "]),
    st.sampled_from(["", "", "- ", "-  ", "- - ", "-", "# ", "---"]),
    st.sampled_from(["", "a:", "b: ", "c:  ", "a", "key:", "yes: "]),
    st.just("") | WORDS,
)


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_a_text_is_read_as_by_the_library_or_left_to_it(text: str) -> None:
    try:
        found = read(text)
    except NotPlain:
        return
    assert repr(found) == repr(yaml.load(text, yaml.CSafeLoader))


TREES: Any = st.recursive(
    st.text("abcd/:-.", min_size=1) | st.sampled_from([True, False, None]),
    lambda below: (
        st.lists(below, min_size=1, max_size=3) | st.dictionaries(st.text("abcdefg", min_size=1), below, min_size=1)
    ),
    max_leaves=12,
)


@given(TREES)
def test_a_tree_that_the_library_writes_is_read_back_or_left_to_it(tree: Any) -> None:
    text = yaml.safe_dump(tree)
    try:
        found = read(text)
    except NotPlain:
        return
    assert found == tree
