"""Hosted services of pictures: one module each, saying what its requests ask and its answers tell. Pure."""
