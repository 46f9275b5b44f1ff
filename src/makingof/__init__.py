"""makingof keeps the making-of of AI-assisted images as evidence."""

__version__ = "0.1.0.dev0"
