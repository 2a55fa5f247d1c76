"""What every method has in common: one chain from images to an embedding and, with a head, to logits."""
from __future__ import annotations

from typing import Any, NamedTuple, Optional, Union, overload

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmcluster.functional.clustering.kmeans import center_similarity
from mmcluster.structures import TEST_STREAM, Batch

from ..bank import SampleBank
from ..final_centers import FinalCenters
from ..head_parts import build, build_head
from ..modes import evaluating
from ..returned import require_gradient, require_losses


class OutputError(ValueError):
    """A network returns what is no vector per image."""


def pooled(feat: Any, network: nn.Module, rows: Optional[int] = None) -> Tensor:
    """Unwrap a network's output to one vector per image.

    Args:
        feat: (B, F), a feature map (B, F, H, W), or a tuple whose last entry is one of these.
        network: Backbone or neck that returned it, for the message.
        rows: B, if it is to be compared.

    Returns:
        (B, F); maps are averaged over space.

    Raises:
        OutputError: If it is anything else, such as tokens (B, L, F).
    """
    if isinstance(feat, (tuple, list)):
        feat = feat[-1]
    if not isinstance(feat, Tensor) or feat.dim() not in (2, 4) or rows not in (None, len(feat)):
        got = tuple(feat.shape) if isinstance(feat, Tensor) else f'a {type(feat).__name__}'
        raise OutputError(f'{type(network).__name__} must return a vector (B, F) or a map (B, F, H, W) of every image, '
                          f'got {got}; let it average its tokens or return one of them (out_type of mmpretrain)')
    return feat.mean(dim=(2, 3)) if feat.dim() == 4 else feat


def num_clusters_of(model: nn.Module) -> Optional[int]:
    """K of a model: what it says itself, or else its head; ``None`` if neither does. Whoever needs K asks here."""
    return getattr(model, 'num_clusters', None) or getattr(getattr(model, 'head', None), 'num_clusters', None)


class Prediction(NamedTuple):
    """Clusters of some images, numbered as the run's result is.

    Attributes:
        cluster: (B,) long.
        score: (B, K) probabilities of a head, or similarities to the centres of k-means.
        embed: (B, D).
    """
    cluster: Tensor
    score: Tensor
    embed: Tensor


class BaseClusterer(BaseModel):
    """A method of deep clustering.

    The chain is ``embed = neck(pooled(backbone(x)))``, (B, D), the space in which the method clusters, and
    ``logits = head(embed)``, (B, K), or ``None`` without a head. Subclasses write :meth:`loss`, whose argument names
    are the names of the streams that they train on; values under keys with ``loss`` in them are summed.

    Args:
        backbone: Config of a network (B, C, H, W) -> (B, F); tuples and feature maps of mmpretrain are unwrapped.
        neck: Config of a module (B, F) -> (B, D). ``None``: D = F.
        head: Config of a module (B, D) -> (B, K); it may leave out ``in_channels``.
        bank: Arguments of :class:`SampleBank`; ``None`` for a method without per-sample state.
        data_preprocessor: Config of the preprocessor that makes the views.
        channels_last: Keep convolution weights and images in the channels-last memory format.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` loads the whole method.
    """

    backbone: nn.Module
    neck: Optional[nn.Module]
    head: Optional[nn.Module]
    bank: Optional[SampleBank]

    def __init__(self, backbone: Union[dict, nn.Module], neck: Union[dict, nn.Module, None] = None,
                 head: Union[dict, nn.Module, None] = None, bank: Optional[dict] = None,
                 data_preprocessor: Optional[dict] = None, channels_last: bool = False,
                 init_cfg: Optional[dict] = None):
        if channels_last and isinstance(data_preprocessor, dict):
            data_preprocessor = dict(data_preprocessor, channels_last=True)
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = build(backbone)
        self.neck = build(neck)
        self.head = build_head(head, self.backbone, self.neck)
        self.bank = SampleBank(**bank) if bank else None
        self.final_centers = FinalCenters()
        if channels_last:
            self.backbone.to(memory_format=torch.channels_last)

    def init_weights(self) -> None:
        """Initialise the parts, then start momentum teachers as copies unless a whole checkpoint was loaded."""
        super().init_weights()
        teacher = getattr(self, 'teacher', None)
        if teacher is not None and (self.init_cfg or {}).get('type') != 'Pretrained':
            teacher.copy_from(self)

    def deployed(self) -> tuple[nn.Module, Optional[nn.Module], Optional[nn.Module]]:
        """Backbone, neck and head that :meth:`outputs` uses and that a booster takes over."""
        return self.backbone, self.neck, self.head

    def outputs(self, x: Tensor) -> tuple[Tensor, Optional[Tensor]]:
        """Embedding and logits from one pass through the deployed parts.

        Args:
            x: (B, C, H, W).

        Returns:
            (B, D) and (B, K) or ``None``.
        """
        return forward_parts(x, *self.deployed())

    def embed(self, x: Tensor) -> Tensor:
        """Embedding (B, D) of images (B, C, H, W), the space in which the method clusters."""
        return self.outputs(x)[0]

    def logits(self, x: Tensor) -> Optional[Tensor]:
        """Logits (B, K) of images (B, C, H, W), ``None`` without a head."""
        return self.outputs(x)[1]

    @torch.no_grad()
    def predict(self, x: Tensor) -> Prediction:
        """Clusters of images by what the run's result was made with: the centres that its end left in the checkpoint,
        or else the head. In evaluation mode, whatever the model is in.

        Args:
            x: (B, C, H, W), normalised as the preprocessor's evaluation views are.

        Raises:
            ValueError: If there is neither.
        """
        with evaluating(self):
            embed, logits = self.outputs(x)
        kept = self.final_centers.result()
        if kept is not None:
            score = center_similarity(embed, *kept)
        elif logits is not None:
            score = logits.float().softmax(1)
        else:
            raise ValueError(f'{type(self).__name__} has no head, and no final centres: load the last checkpoint of a '
                             f'finished run, whose end keeps them, or run k-means on embed(x)')
        return Prediction(score.argmax(1), score, embed.float())

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The first two views (B, C, H, W) of a batch.

        Raises:
            ValueError: If there is one alone.
        """
        if len(batch.views) < 2:
            raise ValueError(f'{type(self).__name__} contrasts two views of every image and got {len(batch.views)}; '
                             f'give data_preprocessor.views=[view, view], or a pair of pipelines of the data set')
        return batch.views[0], batch.views[1]

    def loss(self, *args: Any, **streams: Any) -> dict[str, Tensor]:
        """Losses of one iteration; subclasses name the streams that they need as arguments, each a ``Batch``."""
        raise NotImplementedError(f'{type(self).__name__} has no loss')

    def parse_losses(self, losses: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum that is minimised, and what is logged.

        Args:
            losses: What :meth:`loss` returned.

        Raises:
            ValueError: If nothing in it is to be minimised, a value is no tensor, or no weight has a gradient by it.
        """
        part = getattr(self, 'pseudo_label_loss', None)
        owner = type(self if part is None else part).__name__
        require_losses(owner, losses)
        total, logs = super().parse_losses(losses)
        require_gradient(owner, total)
        return total, logs

    def forward(self, inputs: Optional[Tensor] = None, data_samples: Optional[dict[str, Batch]] = None,
                mode: str = 'tensor') -> Any:
        """Entry point of the Runner.

        Args:
            inputs: (B, C, H, W), for ``mode='tensor'`` and, without ``data_samples``, for ``'predict'``.
            data_samples: stream -> Batch, made by the preprocessor.
            mode: ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            A dict of losses; a list with one dict of index (B,), embed (B, D), prob (B, K) or ``None``, and
            num_clusters, or, of images, :meth:`predict`; or the pair of :meth:`outputs`.

        Raises:
            ValueError: If ``mode`` is unknown, or ``inputs`` or ``data_samples`` are missing.
        """
        if mode not in ('loss', 'predict', 'tensor'):
            raise ValueError(f"{type(self).__name__}: mode must be 'loss', 'predict' or 'tensor', got {mode!r}")
        if mode == 'tensor' or (mode == 'predict' and data_samples is None):
            if inputs is None:
                raise ValueError(f'{type(self).__name__}: mode={mode!r} takes inputs, images (B, C, H, W)')
            return self.outputs(inputs) if mode == 'tensor' else self.predict(inputs)
        if data_samples is None:
            raise ValueError(f"{type(self).__name__}: mode='loss' takes data_samples, stream -> Batch, as the data "
                             f'preprocessor makes them; images alone have no index')
        if mode == 'loss':
            return self.loss(**data_samples)
        batch = data_samples[TEST_STREAM]
        embed, logits = self.outputs(batch.views[0])
        prob = None if logits is None else logits.float().softmax(1)
        return [dict(index=batch.index, embed=embed.float(), prob=prob, num_clusters=num_clusters_of(self))]


@overload
def forward_parts(x: Tensor, backbone: nn.Module, neck: Optional[nn.Module], head: nn.Module) -> tuple[Tensor, Tensor]:
    """With a head there are logits."""


@overload
def forward_parts(x: Tensor, backbone: nn.Module, neck: Optional[nn.Module],
                  head: Optional[nn.Module]) -> tuple[Tensor, Optional[Tensor]]:
    """Otherwise there may be none."""


def forward_parts(x: Tensor, backbone: nn.Module, neck: Optional[nn.Module],
                  head: Optional[nn.Module]) -> tuple[Tensor, Optional[Tensor]]:
    """The one chain of the house: backbone, neck, head.

    Args:
        x: (B, C, H, W).
        backbone: (B, C, H, W) -> (B, F), feature maps or tuples.
        neck: (B, F) -> (B, D) or ``None``; it may wrap its output in a tuple, as mmpretrain's do.
        head: (B, D) -> (B, K) or ``None``.

    Returns:
        embed (B, D) and logits (B, K) or ``None``.
    """
    embed = pooled(backbone(x), backbone, len(x))
    embed = embed if neck is None else pooled(neck(embed), neck, len(x))
    return embed, None if head is None else head(embed)
