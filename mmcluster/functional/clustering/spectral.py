"""Diffusion maps of neighbour graphs: coordinates in which rows that many short paths join lie together."""
from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator, eigsh

DENSE_ROWS = 300                # below it all eigenvectors are cheap, and the iteration may ask for too many of them


def _leading(walk: scipy.sparse.csr_matrix, parts: scipy.sparse.csr_matrix,
             dims: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest eigenvalues (dims,) and vectors (N, dims) of a symmetric matrix beside known ones (N, c)."""
    count = walk.shape[0]
    if count <= max(DENSE_ROWS, dims + 1):
        dense = walk.toarray() - (parts @ parts.T).toarray()
        values, vectors = scipy.linalg.eigh(dense, subset_by_index=[count - dims, count - 1])
    else:
        operator = LinearOperator(walk.shape, lambda x: walk @ x - parts @ (parts.T @ x), dtype=np.float64)
        start = np.random.RandomState(0).randn(count)       # ARPACK's own start differs from call to call
        values, vectors = eigsh(operator, dims, which='LA', v0=start, tol=1e-3)
    order = np.argsort(-values)
    return values[order], vectors[:, order]


def diffusion_map(graph: scipy.sparse.spmatrix, dims: int, steps: int = 6) -> np.ndarray:
    """Embed the rows of a graph by the leading eigenvectors of its random walk (Coifman and Lafon, 2006).

    Args:
        graph: (N, N) symmetric weights, no row without any.
        dims: Coordinates, below N.
        steps: Of the walk; eigenvalues to this power scale the coordinates.

    Returns:
        (N, dims) float32 rows of unit length, without the constant eigenvector. Edge case: in a graph of more parts
        than ``dims + 1`` only the largest have a place, the rows of others are zero.
    """
    degree = np.asarray(graph.sum(axis=1), np.float64).ravel()
    scale = scipy.sparse.diags(degree ** -0.5)
    # every part of the graph has an eigenvector of value 1; an iteration finds one of them and misses its equals
    count, part = connected_components(graph, directed=False)
    volume = np.bincount(part, degree)
    parts = scipy.sparse.csr_matrix((np.sqrt(degree / volume[part]), (np.arange(len(part)), part)), (len(part), count))
    large = np.argsort(-volume, kind='stable')[:dims + 1]
    found = parts[:, large] @ scipy.linalg.null_space(np.sqrt(volume[None, large]))
    if found.shape[1] < dims:
        values, vectors = _leading((scale @ graph @ scale).tocsr(), parts, dims - found.shape[1])
        found = np.concatenate([found, vectors * np.maximum(values, 0) ** steps], axis=1)
    return (found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)).astype(np.float32)
