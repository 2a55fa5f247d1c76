"""Selection among a part of the data set."""
from __future__ import annotations

from typing import Optional

from torch import Tensor

from mmcluster.checks import require_count
from mmcluster.functional.shards import WHOLE, Shards
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

    @property
    def sharded(self) -> bool:
        """Whether the selector takes shards."""
        return getattr(self.selector, 'sharded', False)

    def __call__(self, embed: Optional[Tensor], prob: Optional[Tensor] = None, shards: Shards = WHOLE) -> Tensor:
        """Select among the first n rows.

        Args:
            embed: (n, D), or ``None`` if the selector works on probabilities.
            prob: (n, K), or ``None``.
            shards: Who holds the N rows.

        Returns:
            (n,) labels of the selected rows, -1 elsewhere.

        Raises:
            ValueError: If the data set has fewer rows.
        """
        given = prob if embed is None else embed
        assert given is not None
        total = sum(shards.sizes(len(given)))
        if total < self.num_rows:
            raise ValueError(f'FirstRows: num_rows={self.num_rows}, but the data set has {total} rows; lower it')
        seen = min(max(self.num_rows - shards.start(len(given)), 0), len(given))
        rows = [None if value is None else value[:seen] for value in (embed, prob)]
        first = self.selector(*rows, shards) if self.sharded else self.selector(*rows)
        target = first.new_full((len(given),), -1)
        target[:seen] = first
        return target
