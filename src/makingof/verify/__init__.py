"""Checking a package from a stranger: offline, without an archive, under the reader's own trust."""
