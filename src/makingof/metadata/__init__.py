"""Readers of what generators and editors write into files."""
