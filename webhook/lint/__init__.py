"""Judging objects without a cluster: by the schema and the rules of the webhook, each fault with its place."""
