"""A process that dies, stands still or fails ends the run and is named; elastic restarts go on."""
import argparse
import json
import multiprocessing
import os
import re
import signal
import socket
import sys
import threading
import time

import pytest
import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from reduced import differences, forget, load, propos_cfg, write_digits
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from mmcluster.cli import train as command
from mmcluster.engine import heartbeat
from mmcluster.engine.heartbeat import Heartbeat, about_process
from mmcluster.engine.launch import group_options, init_environment, is_restart, leave_environment
from mmcluster.engine.liveness import ends_group
from mmcluster.recipes import recipe
from mmcluster.registry import HOOKS

SILENCE, GRACE = 0.6, 0.5     # a machine in use has that much between the first signs and the verdict


class Group:
    """Heartbeats of several ranks in this process; ``said`` holds the sentences of those that ended."""

    def __init__(self, size):
        listener = socket.create_server(('', 0))
        self.first = dict(at=('127.0.0.1', listener.getsockname()[1]), word='word', about=about_process(0))
        self.said = {}
        self.beats = [Heartbeat(rank, SILENCE, self.first, listener if rank == 0 else None,
                                lambda text, rank=rank: self.said.update({rank: text}), lambda: None, 0.02)
                      for rank in range(size)]
        self.wait(lambda: sum(peer.about is not None for peer in self.beats[0].peers) == size - 1)

    @staticmethod
    def wait(met, seconds=10.):
        end = time.monotonic() + seconds
        while not met() and time.monotonic() < end:
            time.sleep(0.01)
        assert met()

    def sentences(self):
        self.wait(lambda: len(self.said) == len(self.beats))
        return list(self.said.values())

    def fail(self, *ranks):
        threads = [threading.Thread(target=self.beats[rank].fail, args=(ValueError(f'of {rank}'),)) for rank in ranks]
        for thread in threads:
            thread.start()
        return threads


@pytest.fixture
def three(monkeypatch):
    monkeypatch.setattr(heartbeat, '_GRACE', GRACE)
    group = Group(3)
    yield group
    for beat in group.beats:
        beat.leave()
    assert not [thread for thread in threading.enumerate() if thread.name == 'heartbeat' and thread.is_alive()]


def test_who_leaves_is_not_missed(three):
    three.beats[2].leave()
    time.sleep(2 * SILENCE)
    assert three.said == {} and all(beat.thread.is_alive() for beat in three.beats[:2])


@pytest.mark.parametrize('rank', [0, 2])
def test_who_gives_no_sign_is_named(three, rank):
    three.beats[rank].note(4, 'in epoch 1, iteration 2')
    three.beats[1].note(4, 'in epoch 1, iteration 2')
    time.sleep(0.1)
    three.beats[rank]._tell = lambda: None
    three.beats[rank]._judge = lambda: ''
    three.wait(lambda: len(three.said) == 2)
    for text in three.said.values():
        assert re.search(rf'^rank {rank} \(process {os.getpid()} on .*\) has given no sign for \d+ seconds, in epoch 1, '
                         rf'iteration 2.*all processes end.*--resume', text), text


@pytest.mark.parametrize('rank', [0, 2])
def test_who_fails_is_named_with_its_error_and_the_last_one(three, rank):
    for number, beat in enumerate(three.beats):
        beat.note(*((3, 'in epoch 1, iteration 1') if number == 1 else (5, 'in epoch 1, iteration 2')))
    time.sleep(0.1)
    threads = three.fail(rank)
    for text in three.sentences():
        assert re.search(rf'^rank {rank} \(.*\) failed \(ValueError: of {rank}\), in epoch 1, iteration 2; rank 1 \(.*\) was '
                         r'furthest behind, in epoch 1, iteration 1: all', text), text
    for thread in threads:
        thread.join(10)


def test_who_hears_nothing_any_more_holds_nobody_up(three):
    """The sentence is said at once; only then a process waits for those that may not close their end."""
    said, ended = [], []
    three.beats[0].say, three.beats[0].end = (lambda text: said.append(time.monotonic())), \
        (lambda: ended.append(time.monotonic()))
    three.beats[1]._hear, three.beats[1]._judge = lambda peer: time.sleep(0.01), lambda: ''     # its link stays open
    three.beats[2]._tell = lambda: None
    three.wait(lambda: ended)
    assert heartbeat._PARTING <= ended[0] - said[0] < heartbeat._PARTING + 1


def test_where_all_fail_nothing_more_is_said(three, monkeypatch):
    monkeypatch.setattr(heartbeat, '_GRACE', 30)
    begin = time.monotonic()
    for thread in three.fail(0, 1, 2):
        thread.join(20)
    assert three.said == {} and time.monotonic() - begin < 15, 'and nobody waits'


def test_a_failure_after_a_death_names_the_dead(three):
    three.beats[2].done.set()       # it ends without a word
    three.fail(0, 1)
    three.wait(lambda: len(three.said) == 2)
    assert all(text.startswith('rank 2 ') and ' has ended, ' in text for text in three.said.values())


def test_the_last_words_arrive_where_signs_are_unread(monkeypatch):
    """A close with unread data resets the connection, and drops what waits for an acknowledgement (Nagle)."""
    monkeypatch.setattr(heartbeat, '_GRACE', 0.1)
    listener, said = socket.create_server(('', 0)), []
    first = dict(at=('127.0.0.1', listener.getsockname()[1]), word='word', about=about_process(0))
    beat = Heartbeat(0, 5., first, listener, said.append, lambda: None, 0.02)
    with socket.create_connection(first['at']) as peer:
        judge = beat._judge

        def judge_while_signs_cross():
            sentence = judge()
            if sentence:
                peer.sendall(b'{"place": [1, "at the end"]}\n')
                beat.outbox.append(dict(place=[2, 'at the end']))
                beat._tell()
            return sentence

        beat._judge = judge_while_signs_cross
        peer.sendall(json.dumps(dict(about_process(1), word='word')).encode() + b'\n')
        Group.wait(lambda: beat.peers and beat.peers[0].about)
        threading.Thread(target=beat.fail, args=(ValueError('of 0'),)).start()
        peer.settimeout(10)
        heard = b''.join(iter(lambda: peer.recv(1 << 16), b''))
    beat.thread.join(10)
    assert said and json.dumps(dict(sentence=said[0])).encode() in heard


def test_strangers_are_turned_away(three):
    for text in (b'{"rank": 1, "word": "other"}\n', b'GET / HTTP/1.1\r\n\r\n', b'[1]\n', b'{"failed": "x"}\n', b'x' * 70000):
        with socket.create_connection(three.first['at']) as stranger:
            stranger.sendall(text)
            stranger.settimeout(10)
            try:
                while stranger.recv(1000):
                    pass
            except ConnectionResetError:
                pass
    assert three.said == {} and len(three.beats[0].peers) == 2


def test_a_computer_that_slept_accuses_nobody(three, monkeypatch):
    clock = time.monotonic
    monkeypatch.setattr(heartbeat.time, 'monotonic', lambda: clock() + 10000)
    time.sleep(0.2)
    assert three.said == {}


# ---- processes of a group

def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def step(rank, port, silence, out):
    """A process of a group that sums without end; what it prints goes to a file."""
    sys.stderr = open(out, 'w')     # until the process is ended
    os.environ.update(RANK=str(rank), WORLD_SIZE='2', LOCAL_RANK=str(rank), MASTER_ADDR='127.0.0.1',
                      MASTER_PORT=str(port))
    torch.set_num_threads(1)
    init_environment('pytorch', timeout=60, silence=silence)
    with ends_group():
        while True:
            dist.all_reduce(torch.ones(3))
            print('goes on', file=sys.stderr, flush=True)
            time.sleep(0.02)


@pytest.mark.parametrize('sign, rank, what', [
    (signal.SIGKILL, 1, 'has ended'), (signal.SIGKILL, 0, 'has ended'),
    (signal.SIGSTOP, 1, r'has given no sign for \d seconds'), (signal.SIGSTOP, 0, r'has given no sign for \d seconds')])
def test_the_other_process_ends_with_a_sentence(tmp_path, sign, rank, what):
    port = free_port()
    context = multiprocessing.get_context('fork')
    runs = [context.Process(target=step, args=(each, port, 2, str(tmp_path / f'{each}'))) for each in (0, 1)]
    for run in runs:
        run.start()
    try:
        Group.wait(lambda: all((tmp_path / f'{each}').exists() and 'goes on' in (tmp_path / f'{each}').read_text()
                               for each in (0, 1)), 60)
        os.kill(runs[rank].pid, sign)
        runs[1 - rank].join(15)
        assert runs[1 - rank].exitcode == 1
    finally:
        for run in runs:
            run.kill()
            run.join()
    said = (tmp_path / f'{1 - rank}').read_text()
    assert re.search(rf'mmcluster: rank {rank} \(process {runs[rank].pid} on \S+\) {what}, .*--resume', said), said


# ---- elastic restarts

@HOOKS.register_module()
class SystemKillHook(Hook):
    """The system kills a process."""

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter == 7 and get_rank() == 1 and not is_restart():
            os.kill(os.getpid(), signal.SIGKILL)


def run_twice(folder, data):
    """A process of a group that trains without and with an interruption."""
    torch.set_num_threads(1)
    sys.stderr = open(folder / os.environ['RANK'], 'a')     # until the process is ended
    for name in ('whole', 'killed'):
        forget()
        cfg = propos_cfg(folder / name, data, epochs=3, warmup=1)
        if name == 'killed':
            cfg.custom_hooks.append(dict(type='SystemKillHook'))
        recipe.run(cfg, 'pytorch', resume=is_restart())
    leave_environment()


@pytest.mark.slow
def test_an_elastic_restart_ends_in_the_same_result(tmp_path):
    config = LaunchConfig(1, 1, 2, max_restarts=1, rdzv_backend='c10d', rdzv_endpoint='localhost:0', start_method='fork',
                          monitor_interval=0.1)
    elastic_launch(config, run_twice)(tmp_path, write_digits(tmp_path))
    whole, killed = (load(str(tmp_path / name / 'epoch_3.pth')) for name in ('whole', 'killed'))
    assert differences(whole['state_dict'], killed['state_dict']) == []
    assert re.search(r'mmcluster: rank 1 \(process \d+ on \S+\) has ended, ', (tmp_path / '0').read_text())


def join(rank, restarts, port, out):
    """A process whose machine has counted so many restarts joins a group and writes the sum of its ranks."""
    os.environ.update(RANK=str(rank), WORLD_SIZE='2', LOCAL_RANK='0', MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port),
                      TORCHELASTIC_RESTART_COUNT=str(restarts), TORCHELASTIC_USE_AGENT_STORE='False')
    torch.set_num_threads(1)
    init_environment('pytorch', timeout=60)
    total = torch.tensor([rank + 1])
    dist.all_reduce(total)
    out.put(int(total))
    leave_environment()


def test_a_machine_that_comes_back_finds_those_that_went_on():
    context, port = multiprocessing.get_context('fork'), free_port()
    out = context.Queue()
    runs = [context.Process(target=join, args=(rank, 2 - 2 * rank, port, out)) for rank in (0, 1)]
    for run in runs:
        run.start()
    try:
        assert [out.get(timeout=40), out.get(timeout=40)] == [3, 3]
    finally:
        for run in runs:
            run.join(10)
            run.kill()


def test_a_restart_goes_on_by_itself(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr('mmcluster.recipes.recipe.run', lambda cfg, *args: seen.append(args) or {})
    given = ['propos_cnn_digits', '--work-dir', str(tmp_path)]
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    for count in ('0', '1'):
        monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', count)
        command.run(parser.parse_args([*given, '--resume', 'x.pth'] if count == '1' else given))
    assert [args[1] for args in seen] == [False, 'auto']
    for count in ('TORCHELASTIC_MAX_RESTARTS', 'SLURM_RESTART_COUNT'):
        with monkeypatch.context() as restarts, pytest.raises(ValueError, match='--overwrite would throw away the run'):
            restarts.setenv(count, '1')
            command.run(parser.parse_args([*given, '--overwrite']))


# ---- settings

def test_the_longest_silence_counts():
    configs = [Config(dict(env_cfg=dict(dist_cfg=dict(silence=seconds)))) for seconds in (20, 50., None)]
    assert group_options(*configs) == dict(silence=50.)
    with pytest.raises(ValueError, match='env_cfg.dist_cfg.silence must be a positive number of seconds, got 0'):
        group_options(Config(dict(env_cfg=dict(dist_cfg=dict(silence=0)))))
