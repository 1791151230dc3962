"""How a kubelet expands `$(NAME)` and `$$`, written after the rules that Kubernetes documents, character by character."""

from collections.abc import Mapping


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Known names are replaced, unknown references and every other `$` stay, `$$` is one `$`. Nothing is read twice."""
    made, position = "", 0
    while position < len(text):
        here = text[position]
        after = text[position + 1] if position + 1 < len(text) else ""
        close = text.find(")", position + 2)
        if here == "$" and after == "$":
            made, position = made + "$", position + 2
        elif here == "$" and after == "(" and close >= 0:
            name = text[position + 2 : close]
            made, position = made + variables.get(name, f"$({name})"), close + 1
        else:
            made, position = made + here, position + 1
    return made
