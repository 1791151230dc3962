"""Quotas: limits on the number of objects that are active at the same time."""
