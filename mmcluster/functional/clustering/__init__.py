"""Clusters from features, how good they are, and how they are matched."""
