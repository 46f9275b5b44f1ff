"""Hooks inside other Python programs: they hand over by the spool and import nothing that writes."""
