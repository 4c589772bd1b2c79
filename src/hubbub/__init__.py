"""Live rooms for Python: a chat server with one command, rooms of your own with one import."""

__version__ = "0.1.0"
