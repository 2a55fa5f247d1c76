"""Places of images in the plane: t-SNE and UMAP of an embedding."""
from __future__ import annotations

import numpy as np
from sklearn.manifold import TSNE
from torch import Tensor

METHODS = ('tsne', 'umap')


def layout(embed: Tensor, method: str = 'tsne', perplexity: float = 30., seed: int = 0) -> np.ndarray:
    """Lay embeddings out by cosine (ProPos Figs. 5 and 10 to 12, ClusMatch Fig. 6, PICI Fig. 4, ASD Fig. 6c).

    Args:
        embed: (n, D).
        method: ``'tsne'``, or ``'umap'``, which needs umap-learn.
        perplexity: Of t-SNE, at most a third of the rows; UMAP takes as many neighbours.
        seed: Of the layout.

    Returns:
        (n, 2) float32.

    Raises:
        ImportError: Without umap-learn.
        ValueError: If the method is another one.
    """
    if method not in METHODS:
        raise ValueError(f'method must be one of {METHODS}, got {method!r}')
    rows = embed.float().cpu().numpy()
    if method == 'tsne':
        perplexity = min(perplexity, (len(rows) - 1) / 3)
        return TSNE(metric='cosine', perplexity=perplexity, random_state=seed).fit_transform(rows)
    try:
        from umap import UMAP
    except ImportError:
        raise ImportError('UMAP needs umap-learn: pip install umap-learn') from None
    neighbors = max(2, min(int(perplexity), len(rows) - 1))
    return np.asarray(UMAP(metric='cosine', n_neighbors=neighbors, random_state=seed).fit_transform(rows), np.float32)
