"""Defaults of a JobTemplate: only task names, so that patches can refer to them. The Job gets the other defaults."""

from collections.abc import Iterator

from webhook.envelope.patch import Setting
from webhook.subject.subjects import JobSubject


def template_defaults(template: JobSubject) -> Iterator[Setting]:
    for index, task in enumerate(template.tasks):
        if not task.name:
            yield Setting(("spec", "tasks", index, "name"), f"default{index}")
