"""Parity vectors: fixed inputs and expected outputs of single equations, run against this project's functions."""
