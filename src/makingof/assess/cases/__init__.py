"""Decided cases as a benchmark: what was in evidence, what the authority found, and what would change it."""
