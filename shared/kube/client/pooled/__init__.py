"""Requests of long-running processes: keep-alive connections over asyncio, without the 11 MiB of aiohttp."""
