"""Diffusers pipelines, recorded by the program that calls them; imports neither torch nor diffusers."""
