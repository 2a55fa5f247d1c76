"""Batched views: augmentations with parameters of their own for every row."""
