"""Judging: what the record shows of what an authority asked for; never whether that suffices in law."""
