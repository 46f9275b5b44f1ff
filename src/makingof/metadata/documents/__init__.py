"""Readers of layered documents: what they hold, and what they say of their making."""
