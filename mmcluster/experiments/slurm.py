"""Runs jobs as arrays of Slurm; what is done is skipped, what is not goes on."""
from __future__ import annotations

import os
import shlex
import subprocess
from typing import Sequence

from mmcluster.evaluation.results import write_text

from .jobs import Job


def levels(jobs: Sequence[Job]) -> list[list[Job]]:
    """Jobs in groups, each of which needs those before it only."""
    depth: dict[str, int] = {}
    for job in jobs:
        depth[job.folder] = 1 + max((depth.get(folder, -1) for folder in job.needs.values()), default=-1)
    return [[job for job in jobs if depth[job.folder] == level] for level in range(max(depth.values(), default=-1) + 1)]


def submit(jobs: Sequence[Job], root: str, command: Sequence[str], partition: str, options: str = '',
           dry: bool = False) -> list[str]:
    """Hand what is not done to Slurm: an array for each level of stages, each after the one before it.

    Args:
        jobs: Each after those that it needs.
        root: Folder of all runs, which all nodes see.
        command: What runs one job, followed by its folder.
        partition: Of the cluster.
        options: Further ones of ``sbatch``.
        dry: Write the scripts only.

    Returns:
        The scripts, ``<root>/slurm/level_<n>.sh``.
    """
    todo, scripts, before = [job for job in jobs if job.state(root) != 'done'], [], ''
    folder = os.path.join(root, 'slurm')
    os.makedirs(folder, exist_ok=True)
    for number, level in enumerate(levels(todo)):
        script = os.path.join(folder, f'level_{number}.sh')
        # Slurm keeps a copy of the script alone, and the next table is written here before its tasks have begun
        write_text(script, '\n'.join([
            '#!/usr/bin/env bash', f'#SBATCH --partition={partition}', f'#SBATCH --array=0-{len(level) - 1}',
            '#SBATCH --gres=gpu:1', f'#SBATCH --output={shlex.quote(folder)}/%A_%a.log',
            'JOBS=(', *(shlex.quote(job.folder) for job in level), ')',
            f'{shlex.join(command)} --job "${{JOBS[$SLURM_ARRAY_TASK_ID]}}"', '']))
        scripts.append(script)
        if not dry:
            after = [f'--dependency=afterany:{before}'] if before else []
            done = subprocess.run(['sbatch', '--parsable', *after, *shlex.split(options), script],
                                  capture_output=True, text=True, check=True)
            before = done.stdout.strip().split(';')[0]
    return scripts
