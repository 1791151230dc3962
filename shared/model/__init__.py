"""The API types as frozen models.

An attribute is the JSON name in snake_case. `if`, `for`, `while`, `finally` and `from` get a trailing underscore.
"""
