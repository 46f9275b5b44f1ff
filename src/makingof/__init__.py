"""makingof keeps the making-of of AI-assisted images as evidence."""
