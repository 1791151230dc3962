"""Requests of short commands, without the libraries of a server, which take longer to import than a request takes."""
