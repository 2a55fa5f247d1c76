"""Adapters of the equations of RUC."""
from __future__ import annotations

import torch

from mmcluster.functional.losses import ruc
from mmcluster.functional.losses.mixing import guess, mix
from mmcluster.functional.schedule import linear_ramp

from .registry import adapter, gradients, leaf


@adapter('ruc', 'clean_sampling')
def ruc_clean_sampling(inputs: dict, dtype: torch.dtype) -> dict:
    """Rows that are clean by confidence, by their neighbours, by both."""
    rows = inputs['logits'], inputs['embeddings'], inputs['pseudo_labels']
    return {f'{how}_clean': ruc.clean_rows(*rows, how, inputs['conf_threshold'], inputs['num_neighbors'])
            for how in ruc.HOW}


@adapter('ruc', 'co_refinement')
def ruc_co_refinement(inputs: dict, dtype: torch.dtype) -> dict:
    """One step of the first network. The vector's rows are sorted into clean and unclean ones."""
    clean, every = inputs['clean'], inputs['pseudo_labels']
    label = torch.where(clean, every, -1)
    refined = ruc.refined_target(label, inputs['logits2_orig'], inputs['confidence2'], inputs['temperature'])
    guessed = guess([inputs[f'logits{net}_{view}'] for net in (1, 2) for view in ('weak1', 'weak2')],
                    inputs['temperature'])
    share = max(inputs['lambda_raw'], 1 - inputs['lambda_raw'])
    targets = mix(torch.cat([refined[clean], refined[clean], guessed[~clean], guessed[~clean]]), inputs['perm'], share)
    mixed, strong = leaf(inputs['mixed_logits']), leaf(inputs['logits1_strong'])
    loss = ruc.mixed_losses(mixed, targets, torch.arange(len(mixed)) < 2 * clean.sum())
    ramp = linear_ramp(inputs['epoch'], inputs['rampup_length'], 0., 1., least=0.1)
    smooth = ruc.smoothed_cross_entropy(strong, label, inputs['smoothing'])
    loss_u = inputs['lambda_u'] * ramp * loss.unclean
    after = ruc.relabel(label, inputs['logits1_orig'], inputs['relabel_threshold'])
    confidence = ruc.confidence(inputs['logits1_orig'])
    return dict(target_clean=refined[clean], target_unclean=guessed[~clean], mixed_target=targets, ramp=ramp,
                loss_x=loss.clean, loss_u=loss_u, loss_smooth=smooth, clean_after=after >= 0,
                labels_after=torch.where(after >= 0, after, every), confidence1=confidence,
                confidence1_norm_batch=ruc.twin_weight(confidence), grad_mixed_lx=gradients(loss.clean, mixed)[0],
                grad_mixed_lu=gradients(loss_u, mixed)[0], grad_strong=gradients(smooth, strong)[0][clean],
                **{'lambda': share})
