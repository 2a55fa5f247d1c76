"""Selection among a part of the data set."""
from __future__ import annotations

from typing import Optional

from torch import Tensor

from mmcluster.checks import require_count
from mmcluster.registry import LABEL_SELECTORS


@LABEL_SELECTORS.register_module()
class FirstRows:
    """Another selector, which sees the first rows of the data set alone; no other row is selected.

    In STL-10 the unlabelled images come last. They may show anything, so SPICE takes no label from them.

    Args:
        num_rows: n, how many rows the selector sees.
        selector: Config of a label selector.
    """

    def __init__(self, num_rows: int, selector: dict):
        require_count('FirstRows', num_rows=num_rows)
        self.num_rows = num_rows
        self.selector = LABEL_SELECTORS.build(selector)

    @property
    def num_clusters(self) -> Optional[int]:
        """K of the selector, ``None`` if it does not say."""
        return getattr(self.selector, 'num_clusters', None)

    @num_clusters.setter
    def num_clusters(self, value: int) -> None:
        """Hand K to the selector."""
        self.selector.num_clusters = value

    def __call__(self, embed: Optional[Tensor], prob: Optional[Tensor] = None) -> Tensor:
        """Select among the first n rows.

        Args:
            embed: (N, D), or ``None`` if the selector works on probabilities.
            prob: (N, K), or ``None``.

        Returns:
            (N,) labels of the selected rows, -1 elsewhere.

        Raises:
            ValueError: If the data set has fewer rows.
        """
        given = prob if embed is None else embed
        assert given is not None
        total = len(given)
        if total < self.num_rows:
            raise ValueError(f'FirstRows: num_rows={self.num_rows}, but the data set has {total} rows; lower it')
        first = self.selector(*[None if rows is None else rows[:self.num_rows] for rows in (embed, prob)])
        target = first.new_full((total,), -1)
        target[:self.num_rows] = first
        return target
