"""Images that cannot be pulled, and the statuses that a kubelet reports for them. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from local.nodes.kubelet.behaviour import annotation
from shared.model.types import Body

_HOST: Final = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?|\[[0-9a-fA-F:]+\](?::[0-9]+)?)"
_PART: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE: Final = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::[\w][\w.-]{{0,127}})?(?:@[a-z0-9+._-]+:[0-9a-fA-F]{{32,}})?", re.ASCII
)


@dataclass(frozen=True)
class ImageObstacle:
    """Why an image cannot be pulled: `reason` and `message` of the waiting state."""

    image: str
    reason: str
    message: str

    def waiting(self, again: bool) -> Body:
        """The waiting state, of the first attempt or of the back-off after it."""
        if again and self.reason == "ErrImagePull":
            text = f'Back-off pulling image "{self.image}": {self.reason}: {self.message}'
            return {"reason": "ImagePullBackOff", "message": text}
        return {"reason": self.reason, "message": self.message}


def obstacle(pod: Body, container: Body) -> ImageObstacle | None:
    """None for an image that can be pulled, which is every well-formed one that is not marked otherwise."""
    image = str(container.get("image", ""))
    if not _REFERENCE.fullmatch(image):
        message = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": '
        return ImageObstacle(image, "InvalidImageName", message + "invalid reference format")
    if annotation(pod, "image-pull", container["name"]) == "fail" or image.startswith("fail/"):
        return ImageObstacle(image, "ErrImagePull", f'failed to pull image "{image}"')
    return None
