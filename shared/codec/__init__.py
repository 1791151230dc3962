"""Converts raw objects into models, and reports faults in terms of the API."""
