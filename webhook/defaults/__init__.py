"""Defaults of each kind as a list of fields to set. They are idempotent: a defaulted object gets no further change."""
