"""Defaults of a JobTemplate: names of tasks, so that patches can name them. All else is the Job's, after patching."""

from collections.abc import Iterator

from webhook.envelope.patch import Setting
from webhook.subject.subjects import JobSubject


def template_defaults(template: JobSubject) -> Iterator[Setting]:
    for index, task in enumerate(template.tasks):
        if not task.name:
            yield Setting(("spec", "tasks", index, "name"), f"default{index}")
