"""Adapters of the equations that PICI adds to CC's (see ``cc_adapters``)."""
from __future__ import annotations

import torch

from mmcluster.functional.clustering.kmeans import lloyd
from mmcluster.functional.losses import cross_level
from mmcluster.functional.scale import min_max
from mmcluster.functional.views import masked

from .registry import adapter, gradients, leaf


@adapter('pici', 'masked_reconstruction')
def pici_masked_reconstruction(inputs: dict, dtype: torch.dtype) -> dict:
    """Patches of the images and the error on the removed ones."""
    pred, patch_size = leaf(inputs['pred']), inputs['patch_size']
    loss = masked.masked_reconstruction(inputs['imgs'], pred, inputs['mask'], patch_size, inputs['norm_pix'])
    return dict(loss=loss, grad_pred=gradients(loss, pred)[0], patches=masked.patchify(inputs['imgs'], patch_size))


@adapter('pici', 'random_masking')
def pici_random_masking(inputs: dict, dtype: torch.dtype) -> dict:
    """Visible patches of given noise."""
    keep, mask, restore = masked.random_masking(inputs['noise'], inputs['mask_ratio'])
    return dict(ids_keep=keep, mask=mask, ids_restore=restore, x_masked=masked.take_tokens(inputs['x'], keep))


@adapter('pici', 'sincos_pos_embed')
def pici_sincos_pos_embed(inputs: dict, dtype: torch.dtype) -> dict:
    """The fixed position table."""
    return dict(pos_embed=masked.sincos_position(inputs['embed_dim'], inputs['grid_size'], inputs['cls_token']))


@adapter('pici', 'minmax_scale')
def pici_minmax_scale(inputs: dict, dtype: torch.dtype) -> dict:
    """Every dimension stretched to [0, 1]."""
    return dict(z_scaled=min_max(inputs['z'], dim=0))


@adapter('pici', 'cli_loss')
def pici_cli_loss(inputs: dict, dtype: torch.dtype) -> dict:
    """Labels by the nearest centre, renamed to the head's clusters, and both cross-entropies."""
    logits, num_clusters = leaf(inputs['logits']), inputs['logits'].shape[1]
    label = lloyd(inputs['z'], inputs['centroids'], 'euclidean', max_iter=0).labels
    cluster = logits.detach().argmax(dim=1)
    votes = cross_level.label_votes(label[:, None], cluster[:, None], num_clusters)
    matched = cross_level.match_labels(label[:, None], votes)[:, 0]
    plain, double = (cross_level.cross_level_loss(logits, matched, twice) for twice in (False, True))
    return dict(kmeans_labels=label, cluster_labels=cluster, matched_labels=matched,
                match_count=(matched == cluster).sum(), loss=plain, grad_logits=gradients(plain, logits)[0],
                loss_double_softmax=double, grad_logits_double_softmax=gradients(double, logits)[0])
