"""Packages: the record of some pictures in a form another person can check with nothing else."""
