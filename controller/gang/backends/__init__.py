"""Backends of gang admission (see controller.gang_api), and how `auto` chooses one."""
