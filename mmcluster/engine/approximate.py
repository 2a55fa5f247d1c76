"""Approximate nearest rows by faiss, an extra: most of what an exact search finds, in a small part of its time."""
from __future__ import annotations

import math
from typing import Optional

import torch
from torch import Tensor

from mmcluster.functional.clustering.neighbors import Neighbors, Search, exact

ROWS_PER_LIST = 39      # faiss asks for so many to find the middle of a list


def inverted_file(probes: int) -> Search:
    """Make a search that looks into some lists of an inverted file only.

    The rows fall into about sqrt(M) lists by k-means; of each query the lists whose middles are nearest are searched.

    Args:
        probes: Lists that are looked into.

    Returns:
        A search for :func:`~mmcluster.functional.clustering.neighbors.nearest`. A query whose lists hold too few rows
        is compared with all.

    Raises:
        ImportError: Without faiss.
    """
    try:
        import faiss
    except ImportError as error:
        raise ImportError('approximate neighbours need faiss: pip install faiss-cpu, or leave out probes for exact '
                          'ones') from error

    def search(queries: Tensor, rows: Tensor, k: int, own: Optional[Tensor]) -> Neighbors:
        """The k rows with the largest inner products among those looked at."""
        table, wanted = rows.float().cpu().numpy(), k + (own is not None)
        lists = max(1, min(round(math.sqrt(len(rows))), len(rows) // ROWS_PER_LIST))
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(rows.shape[1]), rows.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
        index.train(table)
        index.add(table)
        index.nprobe = min(probes, lists)
        similarity, place = (torch.from_numpy(part).to(rows.device)
                             for part in index.search(queries.float().cpu().numpy(), wanted))
        similarity = similarity.to(rows.dtype)
        if own is not None:
            similarity = similarity.masked_fill(place == own[:, None], -math.inf)
        similarity, order = similarity.topk(k, dim=1)
        found = Neighbors(similarity, place.gather(1, order))
        few = ((found.index < 0) | similarity.isinf()).any(1).nonzero().flatten()
        if len(few):
            whole = exact(queries[few], rows, k, None if own is None else own[few])
            for value, right in zip(found, whole):
                value[few] = right
        return found

    return search
