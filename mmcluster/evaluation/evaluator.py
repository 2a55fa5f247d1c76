"""Evaluation by several metrics, of which one that cannot run does not stop the others."""
from __future__ import annotations

import logging

from mmengine.evaluator import Evaluator
from mmengine.logging import print_log

from mmcluster.registry import EVALUATORS


@EVALUATORS.register_module()
class PatientEvaluator(Evaluator):
    """mmengine's evaluator, which leaves out a metric that cannot run, with its reason in the log.

    A set of images may have too few for one metric and suffice for another.
    """

    def evaluate(self, size: int) -> dict[str, float]:
        """Values of all metrics that can run.

        Args:
            size: N.

        Raises:
            ValueError: If two metrics have one name.
            Exception: That of the first metric, if none can run.
        """
        found: dict[str, float] = {}
        failures = []
        for metric in self.metrics:
            try:
                values = {name: value.item() if hasattr(value, 'item') else value   # a tensor is no entry of a record
                          for name, value in metric.evaluate(size).items()}
            except (ValueError, RuntimeError, FloatingPointError) as error:
                failures.append((metric, error))
                continue
            twice = sorted(set(values) & set(found))
            if twice:
                raise ValueError(f'several metrics are called {", ".join(twice)}: give them different prefixes')
            found.update(values)
        if failures and len(failures) == len(self.metrics):
            raise failures[0][1]
        for metric, failure in failures:
            print_log(f'{type(metric).__name__} {metric.prefix!r} was left out: {failure}', logger='current',
                      level=logging.ERROR)
        return found
