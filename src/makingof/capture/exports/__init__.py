"""What other programs wrote down about their own pictures: one module for each, bytes in, `Told` out."""
