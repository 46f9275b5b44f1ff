"""The hook's modules: one recorder for one run of the web UI, however often its scripts are loaded."""

from .attaching import listen

__all__ = ["listen"]
