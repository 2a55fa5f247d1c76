"""What an epoch spends on views, network, loader, evaluation and E-steps."""
from __future__ import annotations

from collections import defaultdict
from time import perf_counter, process_time
from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmcluster.registry import HOOKS

from ..extract import unwrap

NETWORK, VIEWS, LOADER, EVALUATION, REST = 'network', 'views', 'loader', 'evaluation', 'E-steps and other hooks'


@HOOKS.register_module()
class CostHook(Hook):
    """Logs after each epoch, its evaluation included, how long it took and on what.

    Only the host's clocks are read, so no step waits for a device. On an accelerator the shares of views and network
    are those of the host, which queues their work; on a CPU they are the work. What a step does beside making views
    (optimiser, momentum teachers, the log) counts as network.
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.marks: dict[str, float] = {}
        self.handles: list[Any] = []

    def before_train(self, runner: Runner) -> None:
        """Watch the preprocessor, which makes the views."""
        preprocessor = unwrap(runner.model).data_preprocessor
        self.handles.extend([preprocessor.register_forward_pre_hook(lambda *_: self._charge_step(NETWORK)),
                             preprocessor.register_forward_hook(lambda *_: self._charge_step(VIEWS))])
        self.marks.update(wall=perf_counter(), cpu=process_time())

    def before_train_epoch(self, runner: Runner) -> None:
        """Log the epoch before; E-steps that came since then are the new one's."""
        self._log(runner)
        self._charge(REST)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """The loader has delivered."""
        self._charge(LOADER)
        self.marks['step'] = True

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """A step is done."""
        self._charge(NETWORK)
        self.marks.pop('step')

    def before_val(self, runner: Runner) -> None:
        """The hooks after an epoch are done. A resumed run may owe an evaluation before it trains."""
        if self.marks:
            self._charge(REST)

    def after_val(self, runner: Runner) -> None:
        """The metrics are computed."""
        if self.marks:
            self._charge(EVALUATION)

    def after_train_epoch(self, runner: Runner) -> None:
        """The hooks after an epoch are done."""
        self._charge(REST)

    def after_train(self, runner: Runner) -> None:
        """Log the last epoch."""
        self._log(runner)
        for handle in self.handles:
            handle.remove()
        self.handles.clear()

    def _charge(self, part: str) -> None:
        """Book the time since the last mark."""
        wall, cpu = perf_counter(), process_time()
        self.spent[part] += wall - self.marks['wall']
        self.spent['cpu'] += cpu - self.marks['cpu']
        self.marks.update(wall=wall, cpu=cpu)

    def _charge_step(self, part: str) -> None:
        """The same within a training step alone: sweeps make views, too."""
        if 'step' in self.marks:
            self._charge(part)

    def _log(self, runner: Runner) -> None:
        cpu = self.spent.pop('cpu', 0.)
        total = sum(self.spent.values())
        if total and runner.epoch:
            parts = sorted(self.spent.items(), key=lambda item: -item[1])
            shares = ', '.join(f'{part} {share / total:.1%}' for part, share in parts if share)
            runner.logger.info(f'epoch {runner.epoch} took {total:.1f} s, {cpu:.1f} s of processor time: {shares}')
        self.spent.clear()
