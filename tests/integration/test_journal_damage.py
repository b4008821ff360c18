"""A journal whose files were damaged, put back from an older copy, or are somebody else's: trestled starts, whole or in a
new epoch that it explains, and never serves a wrong event; or refuses in one line and touches nothing.

TRESTLE_DAMAGE_ROUNDS: how often each file is damaged, half by truncation, half by flipped bytes. TRESTLE_SEED: replays."""
import concurrent.futures
import os
import pathlib
import queue
import random
import shutil
import tempfile

import pytest

from harness.journal import DATABASE, FILES, Judge, Original, Reader, Run, Worker, flip, truncate
from harness.wait import PATIENCE

ROUNDS = int(os.environ.get("TRESTLE_DAMAGE_ROUNDS", max(10, int(100 / PATIENCE ** 2))))
SEED = os.environ.get("TRESTLE_SEED") or str(random.SystemRandom().randrange(2 ** 32))
VERSION_PLACE = range(60, 64)                                       # where SQLite keeps the schema's version
AT_ONCE = 2


@pytest.fixture(scope="module")
def scratch():
    """A folder with a short name, for the ipc sockets in it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="trestle-damage-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def workers(scratch):
    made = []
    for number in range(AT_ONCE):
        folder = scratch / f"worker{number}"
        folder.mkdir()
        made.append(Worker(folder))
    yield made
    for worker in made:
        worker.close()


@pytest.fixture(scope="module")
def original(scratch, workers):
    folder = scratch / "original"
    folder.mkdir()
    made = Original(folder, workers[0])
    run = Run(made.copy(scratch / "undamaged"), workers[0])
    workers[0].wait_subscribed()
    reader = Reader(run.port, "0")
    made.whole = reader.events
    reader.close()
    assert run.stop() == 0
    assert reader.epoch == made.epoch, run.output()
    assert len(made.whole) > 400
    assert all(made.knows(offset, event) for offset, event in made.whole.items())
    return made


def damage(path, draw, number):
    """Even rounds truncate, odd ones flip bytes; returns what was done."""
    if number % 2 == 0:
        return f"cut at {truncate(path, draw)}", []
    places = flip(path, draw, draw.choice((1, 1, 2, 8, 64)))
    return f"flipped at {places}", places


@pytest.mark.parametrize("victim", FILES)
def test_damage_leaves_it_whole_or_starts_a_new_epoch(original, workers, scratch, victim):
    judge, free = Judge(original), queue.Queue()
    for worker in workers:
        free.put(worker)

    def one(number):
        draw = random.Random(f"{SEED}:{victim}:{number}")
        folder = original.copy(scratch / f"{victim}.{number}")
        done, places = damage(folder / victim, draw, number)
        worker = free.get()
        try:
            if victim == DATABASE and set(places) & set(VERSION_PLACE) and is_refused(folder, worker):
                judge.outcomes["refused as newer"] += 1
            else:
                judge.judge(folder, worker)
        except Exception as error:
            raise AssertionError(f"TRESTLE_SEED={SEED}, round {number}: {victim} {done}: {error!r}") from error
        finally:
            free.put(worker)
        shutil.rmtree(folder)

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(one, number) for number in range(ROUNDS)]
        failures = [future.exception() for future in futures if future.exception()]
    seconds = sorted(judge.seconds)
    print(f"{victim}: {ROUNDS} rounds, {dict(judge.outcomes)}, {len(failures)} failed; start: median "
          f"{seconds[len(seconds) // 2] * 1000:.0f} ms, longest {seconds[-1] * 1000:.0f} ms")
    assert not failures, "\n".join(str(failure) for failure in failures[:5])
    assert sum(judge.outcomes.values()) == ROUNDS


def is_refused(folder, worker):
    """The version itself was hit: trestled may take it for a newer journal's, which it does not touch. Tried on a copy."""
    copy = folder.with_name(f"{folder.name}.copy")
    shutil.copytree(folder, copy)
    before = (copy / DATABASE).read_bytes()
    run = Run(copy, worker)
    if run.ready:
        worker.wait_subscribed()
        run.kill9()
    refused = not run.ready and run.finish() == 2 and "version" in run.output()
    assert not refused or (copy / DATABASE).read_bytes() == before
    shutil.rmtree(copy)
    return refused
