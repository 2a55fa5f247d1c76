"""Runs jobs in turn or side by side; what is done is skipped, what is not goes on."""
from __future__ import annotations

import os
import time
import traceback
import warnings
from contextlib import suppress
from functools import partial
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from typing import Any, Callable, NamedTuple, Optional, Sequence

import torch

from mmcluster.engine.lock import InUseError
from mmcluster.recipes.records import digests
from mmcluster.utils import spoken_time

from .jobs import Job

Tell = Callable[[str], None]


def run_jobs(jobs: Sequence[Job], root: str, workers: int = 1, devices: Sequence[int] = (),
             tell: Tell = print) -> dict[str, str]:
    """Run what is not done; all of it is rehearsed before the first run begins.

    Args:
        jobs: Each after those that it needs.
        root: Folder of all runs.
        workers: Runs at a time on the CPU, each in a process with one thread; one at a time stays in this process.
        devices: Numbers of accelerators; one run at a time on each, whatever ``workers`` says.
        tell: Is told what happens.

    Returns:
        Folder -> error of the jobs that failed; those that need them are not tried.
    """
    todo = [job for job in jobs if job.state(root) != 'done']
    tell(f'{len(jobs)} runs, {len(jobs) - len(todo)} done')
    failed = {**replaced([job for job in jobs if job not in todo], root, tell), **refused(todo, root, tell)}
    if any(job.folder not in failed for job in todo):
        tell(f'each run writes a log: {root}/<run>/<time>/*.log')
    if (len(devices) or workers) <= 1:
        return _in_turn(todo, root, failed, devices[0] if devices else None, tell)
    return _side_by_side(todo, root, failed, len(devices) or workers, list(devices), tell)


def refused(jobs: Sequence[Job], root: str, tell: Tell) -> dict[str, str]:
    """Folder -> why its stage cannot start, of the jobs of which that can be told before anything trains.

    Args:
        jobs: Seeds of one stage are tried once. What has begun goes on without what it needed at its start.
        root: Folder of all runs.
        tell: Is told each reason once.
    """
    why: dict[str, str] = {}
    jobs = [job for job in jobs if job.state(root) != 'started']
    for job in jobs:
        stage = os.path.dirname(job.folder)
        if stage not in why:
            why[stage] = _error(job.rehearse, root)
            if why[stage]:
                tell(f'{stage}: {why[stage]}')
    return {job.folder: text for job in jobs if (text := why[os.path.dirname(job.folder)])}


def replaced(jobs: Sequence[Job], root: str, tell: Tell) -> dict[str, str]:
    """Folder -> why its figures do not count, of the jobs whose ``stages.NAME.checkpoint`` is another file by now.

    Args:
        jobs: Those that are done.
        root: Folder of all runs.
        tell: Is told each reason.
    """
    files = {job.folder: job.files(root) for job in jobs}
    digest = digests({path: path for each in files.values() for path in each.values()})      # each is read once
    found = {}
    for job in jobs:
        before = job.built_on(root)
        for place, path in files[job.folder].items():
            if before.get(place, digest[path]) != digest[path]:
                found[job.folder] = (f'{path} is no longer the file that this run was built on: put that back, give '
                                     f'the new one another name, or remove the folder of the run to train it anew')
                tell(f'{job.folder}: {found[job.folder]}')
    return found


def _in_turn(todo: list[Job], root: str, failed: dict[str, str], device: Optional[int], tell: Tell) -> dict[str, str]:
    """Run jobs in this process."""
    for place, job in enumerate(todo, 1):
        if _blocked(job, failed):
            continue
        tell(f'[{place}/{len(todo)}] {job.folder}')
        began = time.monotonic()
        error = run_one(job, root, device)
        if error:
            failed[job.folder] = error
        tell(error or f'    done in {spoken_time(time.monotonic() - began)}')
    return failed


def _side_by_side(todo: list[Job], root: str, failed: dict[str, str], workers: int, devices: list[int],
                  tell: Tell) -> dict[str, str]:
    """Run jobs in processes of their own as soon as what they need is done."""
    waiting, free = list(todo), list(devices)
    running: list[Started] = []
    try:
        while waiting or running:
            unfinished = {job.folder for job in waiting} | {started.job.folder for started in running}
            for job in [job for job in waiting if not unfinished & set(job.needs.values())]:
                if len(running) == workers:
                    break
                waiting.remove(job)
                if not _blocked(job, failed):
                    tell(f'[{len(todo) - len(waiting)}/{len(todo)}] {job.folder}')
                    running.append(_start(job, root, free.pop() if devices else None))
            # what waited may all have been blocked; a wait for nothing would not end
            ready = connection.wait([end for started in running for end in started.ends]) if running else []
            for started in [one for one in running if not set(one.ends).isdisjoint(ready)]:
                running.remove(started)
                error = _error_of(started)
                if started.device is not None:
                    free.append(started.device)
                if error:
                    failed[started.job.folder] = error
                taken = spoken_time(time.monotonic() - started.began)
                tell(f'{started.job.folder}: {error or f"done in {taken}"}')
    finally:
        for started in running:     # an interrupted table leaves nothing running
            started.process.terminate()
    return failed


class Started(NamedTuple):
    """A job in a process of its own, and where its error arrives."""
    job: Job
    process: BaseProcess
    device: Optional[int]
    answer: connection.Connection
    began: float

    @property
    def ends(self) -> tuple[Any, ...]:
        """What tells that it is done. One that says more than a pipe takes cannot end before it is heard."""
        return self.answer, self.process.sentinel


def _start(job: Job, root: str, device: Optional[int]) -> Started:
    """Begin a job in a process of its own."""
    context = get_context('spawn')
    answer, end = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(end, job, root, device))
    process.start()
    end.close()
    return Started(job, process, device, answer, time.monotonic())


def _child(end: connection.Connection, job: Job, root: str, device: Optional[int]) -> None:
    # of this process, not of the loaders that mmengine means
    warnings.filterwarnings('ignore', 'Multi-processing start method')
    end.send(run_one(job, root, device))


def _error_of(started: Started) -> str:
    """What a process that has ended says, or that it was killed."""
    said = None
    with suppress(EOFError):
        said = started.answer.recv()
    started.process.join()
    return f'its process ended with code {started.process.exitcode} before it was done' if said is None else said


def _blocked(job: Job, failed: dict[str, str]) -> bool:
    """Whether a job was refused, or needs one that failed; it then counts as failed."""
    if job.folder in failed:
        return True
    need = next((folder for folder in job.needs.values() if folder in failed), None)
    if need is not None:
        failed[job.folder] = f'needs {need}, which failed'
    return need is not None


def run_one(job: Job, root: str, device: Optional[int] = None) -> str:
    """Run a job; an error is returned as text, so that the other jobs go on.

    Args:
        job: The job.
        root: Folder of all runs.
        device: Number of the accelerator; ``None`` leaves the choice to the Runner.
    """
    if device is not None:
        torch.cuda.set_device(device)
    if not torch.cuda.is_available():
        torch.set_num_threads(1)    # rounding depends on their number, and runs stand side by side
    return _error(partial(_run, job), root)


def _run(job: Job, root: str) -> None:
    """Run a job; while another table runs the same one, wait for it, and do what it has left undone."""
    while True:
        try:
            return job.run(root)
        except InUseError as other:
            # the logger is that of the run before, and quiet
            print(f'{job.folder}: waiting for another one; {other}', flush=True)
            other.wait()


def _error(call: Callable[[str], None], root: str) -> str:
    """What a call raises, with the place; empty if nothing."""
    try:
        call(root)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f'{type(error).__name__}: {error} ({os.path.basename(last.filename)}:{last.lineno})'
    return ''
