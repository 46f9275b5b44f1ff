"""The log: order, checkpoints and proofs, over bytes it does not understand."""
