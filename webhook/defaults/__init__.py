"""Defaults of each kind as a list of fields to set. They are idempotent: a defaulted object gets no further change."""

from webhook.defaults.flow import flow_defaults
from webhook.defaults.job import job_defaults
from webhook.defaults.podgroup import podgroup_defaults
from webhook.defaults.queue import queue_defaults
from webhook.defaults.template import template_defaults

__all__ = ["flow_defaults", "job_defaults", "podgroup_defaults", "queue_defaults", "template_defaults"]
