"""Checks objects without a cluster, by the schema and the rules of the webhook, and reports each fault with its
position.
"""
