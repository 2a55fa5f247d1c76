"""Adapters of the semi-supervised losses; they drive the modules that train."""
from __future__ import annotations

from typing import Any, Callable, Iterable, Optional

import torch
from torch import Tensor, nn

from mmcluster.functional.labels.thresholds import adaptive_thresholds, curriculum_thresholds
from mmcluster.functional.losses.mutex import complementary_label
from mmcluster.models import Labelled, SampleBank, Unlabelled
from mmcluster.models import pseudo_label_losses as losses
from mmcluster.structures import Batch

from .registry import adapter, gradients, leaf

WEIGHT = 0.5        # of every term whose weight is an option; divided out again


def unlabelled(weak: Tensor, strong: Tensor, index: Optional[Tensor] = None) -> Unlabelled:
    """Rows that consist of logits."""
    return Unlabelled(weak, strong, weak, strong, torch.arange(len(weak)) if index is None else index)


def recorded(method: Any, into: dict) -> Callable:
    """A method that keeps what it returns, and its arguments."""
    def call(*args: Any) -> Any:
        into['args'] = args
        into['value'] = method(*args)
        return into['value']
    return call


def match_step(loss: nn.Module, l: Optional[Labelled], u: Unlabelled, bank: Optional[SampleBank] = None) -> dict:
    """One training step: target, weight, loss and its gradient."""
    seen: dict = {}
    loss.pseudo_labels = recorded(type(loss).pseudo_labels.__get__(loss), seen)
    found = loss.train().loss(l, u, bank)
    choice, value = seen['value'], found['loss_unsup'] / WEIGHT
    label = choice.target.argmax(1) if choice.target.dim() == 2 else choice.target
    return dict(mask=choice.weight.to(u.logits_strong), pseudo_label=label, unsup_loss=value, losses=found,
                grad_unsup=gradients(value, u.logits_strong)[0], choice=choice)


def stacked(steps: Iterable[dict], names: Iterable[str]) -> dict:
    """Outputs with a leading axis for the steps."""
    steps = list(steps)
    return {name: torch.stack([step[name] for step in steps]) for name in names}


@adapter('ssl', 'fixmatch_loss')
def ssl_fixmatch(inputs: dict, dtype: torch.dtype) -> dict:
    """One step of FixMatch, hard or soft labels."""
    loss = losses.FixMatchLoss(threshold=inputs['threshold'], hard_label=inputs['hard_label'], unsup_weight=WEIGHT)
    step = match_step(loss, None, unlabelled(inputs['logits_weak'], leaf(inputs['logits_strong'])))
    return dict(mask=step['mask'], pseudo_label=step['pseudo_label'], loss=step['unsup_loss'],
                grad_logits_strong=step['grad_unsup'])


@adapter('ssl', 'flexmatch')
def ssl_flexmatch(inputs: dict, dtype: torch.dtype) -> dict:
    """A trajectory of thresholds, masks, counts and the bank."""
    loss = losses.FlexMatchLoss(inputs['logits_weak'].shape[2], inputs['threshold'], inputs['thresh_warmup'],
                                unsup_weight=WEIGHT).to(dtype)
    bank, steps = SampleBank(inputs['num_unlabeled'], loss.fields), []
    for index, weak in zip(inputs['idx'], inputs['logits_weak']):
        used = curriculum_thresholds(loss.progress, loss.threshold)
        step = match_step(loss, None, unlabelled(weak, leaf(weak), index), bank)
        steps.append(dict(step, class_threshold_used=used, classwise_acc=loss.progress.clone(),
                          selected_label=bank.selected.clone()))
    return stacked(steps, ('mask', 'class_threshold_used', 'classwise_acc', 'selected_label'))


@adapter('ssl', 'freematch')
def ssl_freematch(inputs: dict, dtype: torch.dtype) -> dict:
    """A trajectory of the averages and both losses."""
    loss = losses.FreeMatchLoss(
        inputs['logits_weak'].shape[2], inputs['momentum'], quantile=0.8 if inputs['use_quantile'] else None,
        max_threshold=0.95 if inputs['clip_thresh'] else None, fairness_weight=WEIGHT, unsup_weight=WEIGHT).to(dtype)
    loss.time_p.fill_(inputs['init_time_p'])
    loss.p_model.copy_(inputs['init_p_model'])
    loss.label_hist.copy_(inputs['init_label_hist'])
    steps = []
    for weak, strong in zip(inputs['logits_weak'], inputs['logits_strong']):
        u = unlabelled(weak, leaf(strong))
        step = match_step(loss, None, u)
        fair = step['losses']['loss_fair'] / WEIGHT
        steps.append(dict(step, fairness_loss=fair, grad_fairness=gradients(fair, u.logits_strong)[0],
                          thresholds=adaptive_thresholds(loss.time_p, loss.p_model),
                          **{name: value.clone() for name, value in loss.named_buffers()}))
    return stacked(steps, ('time_p', 'p_model', 'label_hist', 'thresholds', 'mask', 'unsup_loss', 'grad_unsup',
                           'fairness_loss', 'grad_fairness'))


@adapter('ssl', 'softmatch')
def ssl_softmatch(inputs: dict, dtype: torch.dtype) -> dict:
    """A trajectory of alignment, moments and weights."""
    loss = losses.SoftMatchLoss(inputs['logits_weak'].shape[2], inputs['n_sigma'], inputs['momentum'],
                                'uniform' if inputs['dist_align'] else None, unsup_weight=WEIGHT).to(dtype)
    loss.mean.fill_(inputs['init_mu'])
    loss.variance.fill_(inputs['init_var'])
    aligned: dict = {}
    if loss.aligner is not None:
        loss.aligner.p_model.copy_(inputs['init_p_model'])
        loss.aligner.forward = recorded(loss.aligner.forward, aligned)
    steps = []
    for weak, strong in zip(inputs['logits_weak'], inputs['logits_strong']):
        step = match_step(loss, None, unlabelled(weak, leaf(strong)))
        steps.append(dict(
            step, weight=step['mask'], mu=loss.mean[0].clone(), var=loss.variance[0].clone(),
            aligned_probs=aligned['value'] if aligned else weak.softmax(1),
            p_model=loss.aligner.p_model.clone() if aligned else torch.zeros_like(weak[0])))
    return stacked(steps, ('aligned_probs', 'p_model', 'mu', 'var', 'weight', 'unsup_loss', 'grad_unsup'))


@adapter('ssl', 'adamatch')
def ssl_adamatch(inputs: dict, dtype: torch.dtype) -> dict:
    """A trajectory of alignment, cutoff and masks."""
    loss = losses.AdaMatchLoss(inputs['logits_weak'].shape[2], inputs['threshold'], inputs['momentum'],
                               unsup_weight=WEIGHT).to(dtype)
    loss.aligner.p_target.fill_(1 / len(loss.aligner.p_target))        # uniform in this precision
    aligned: dict = {}
    loss.aligner.forward = recorded(loss.aligner.forward, aligned)
    steps = []
    for given, weak, strong in zip(inputs['logits_labeled'], inputs['logits_weak'], inputs['logits_strong']):
        l = Labelled(given, given, torch.zeros(len(given), dtype=torch.long), torch.arange(len(given)))
        step = match_step(loss, l, unlabelled(weak, leaf(strong)))
        steps.append(dict(step, aligned_probs=aligned['value'], cutoff=step['choice'].logs['threshold'],
                          p_target=loss.aligner.p_target.clone(), p_model=loss.aligner.p_model.clone()))
    return stacked(steps, ('aligned_probs', 'p_target', 'p_model', 'cutoff', 'mask', 'pseudo_label', 'unsup_loss',
                           'grad_unsup'))


class Passing(nn.Module):
    """A true-negative classifier whose logits are its input; it keeps them as leaves of the loss on detached input."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.clone() if x.requires_grad else leaf(x))
        return self.seen[-1]


@adapter('ssl', 'mutexmatch')
def ssl_mutexmatch(inputs: dict, dtype: torch.dtype) -> dict:
    """One step whose features are the logits of the true-negative classifier."""
    tpc = {name: leaf(inputs[f'tpc_{name}']) for name in ('labeled', 'weak', 'strong')}
    tnc = {name: leaf(inputs[f'tnc_{name}']) for name in ('labeled', 'weak', 'strong')}
    size = tpc['weak'].shape[1]
    loss = losses.MutexMatchLoss(size, size, inputs['k'], inputs['threshold'], unsup_weight=WEIGHT)
    loss.tnc = Passing()
    u = Unlabelled(tnc['weak'], tnc['strong'], tpc['weak'], tpc['strong'], torch.arange(len(tpc['weak'])))
    found = loss.loss(Labelled(tnc['labeled'], tpc['labeled'], inputs['labels'], torch.arange(len(inputs['labels']))),
                      u, None)
    values = dict(sup=found['loss_sup'], pos=found['loss_pos'] / WEIGHT, neg=found['loss_neg'] / WEIGHT,
                  sep=found['loss_sep'])
    total = sum(values.values())
    grads = gradients(total, tpc['labeled'], tpc['strong'], tnc['strong'])
    assert all(grad.abs().sum() == 0 for grad in gradients(total, tpc['weak'], tnc['weak'], tnc['labeled']))
    mask = tpc['weak'].softmax(1).amax(1) >= inputs['threshold']
    assert mask.float().mean() == found['mask_share']
    return dict({f'{name}_loss': value for name, value in values.items()}, total=total, mask=mask.to(dtype),
                complementary_label=complementary_label(torch.cat(list(tpc.values()))),
                grad_tnc_separate=gradients(values['sep'], loss.tnc.seen[0])[0],
                **dict(zip(('grad_tpc_labeled', 'grad_tpc_strong', 'grad_tnc_strong'), grads)))


class Given(nn.Module):
    """A booster that answers with given logits, part by part."""

    labeller = None

    def __init__(self, l: Labelled, u: Unlabelled, answers: list[Tensor]):
        super().__init__()
        self.l, self.u, self.answers, self.asked = l, u, answers, []

    def forward_streams(self, *args: Any, **kwargs: Any) -> tuple:
        """The rows as the labeller left them."""
        return self.l, self.u, {}

    def outputs(self, x: Tensor) -> tuple[None, Tensor]:
        """The next answer."""
        self.asked.append(x)
        return None, self.answers[len(self.asked) - 1]


@adapter('ssl', 'mixmatch')
def ssl_mixmatch(inputs: dict, dtype: torch.dtype) -> dict:
    """One step with given draws."""
    loss = losses.MixMatchLoss(temperature=inputs['temperature'], unsup_weight=WEIGHT)
    share, order = max(inputs['lambda_raw'], 1 - inputs['lambda_raw']), inputs['perm']
    loss.draw = lambda rows, device: (share, order)
    seen: dict = {}
    loss.mixed_losses = recorded(loss.mixed_losses, seen)
    mixed, rows = leaf(inputs['mixed_logits']), torch.arange(len(inputs['x']))
    l = Labelled(inputs['x'], torch.zeros_like(inputs['logits_u1']), inputs['labels'], rows)
    net = Given(l, unlabelled(inputs['logits_u1'], inputs['logits_u2']), [mixed[i::3] for i in range(3)])
    found = loss(net, Batch([inputs['u1'], inputs['u2']], rows), Batch([inputs['x']], rows))
    target, value_u = seen['args'][2], found['loss_unsup'] / WEIGHT
    sharpened = losses.mixmatch.guess([inputs['logits_u1'], inputs['logits_u2']], inputs['temperature'])
    return dict(sharpened=sharpened, mixed_x=torch.stack(net.asked, 1).flatten(0, 1), mixed_y=target,
                loss_x=found['loss_sup'], loss_u=value_u, grad_x=gradients(found['loss_sup'], mixed)[0],
                grad_u=gradients(value_u, mixed)[0], **{'lambda': found['mix_share']})
