"""The patterns of a field in `allowed` or `denied`: of image references for `images`, else of texts."""

from shared.policy.patterns.globs import Globs, globs
from shared.policy.patterns.images import ImagePatterns

Patterns = Globs | ImagePatterns


def patterns_of(name: str, texts: tuple[str, ...]) -> Patterns:
    """`name`: the API name of the field. Registries are compared in lower case."""
    if name == "images":
        return ImagePatterns(texts)
    return globs(text.lower() for text in texts) if name == "registries" else globs(texts)
