"""Walkers of image containers: bytes in, segments out, no pixel decoded."""
