"""Losses of the methods, as equations of tensors."""
