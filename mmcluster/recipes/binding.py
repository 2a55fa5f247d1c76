"""What a config takes from its data set."""
from __future__ import annotations

from typing import Any, Optional

from mmengine.config import Config

from mmcluster.registry import DATASETS


def bind_data(cfg: Config, dataset: Optional[Any] = None) -> None:
    """Write size and fingerprint of the training set into ``model.bank``, in place.

    Args:
        cfg: Config of one stage.
        dataset: The training set, where it is built already.

    Raises:
        ValueError: If the config states another size.
    """
    bank = cfg.model.get('bank')
    if bank is None or bank.get('fingerprint'):
        return
    dataset = DATASETS.build(cfg.train_dataloader.dataset) if dataset is None else dataset
    if bank.get('num_samples') not in (None, len(dataset)):
        raise ValueError(f'model.bank.num_samples is {bank.num_samples}, the training set has {len(dataset)} images; '
                         f'leave it None to take the size from the data')
    bank.num_samples = len(dataset)
    bank.fingerprint = dataset.fingerprint
