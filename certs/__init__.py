"""Certificates of the webhook: issue, inspect, renew and rotate, in files or in one Secret."""
