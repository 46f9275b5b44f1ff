"""The questions this release asks: one in each file, named as the claim it tests."""
