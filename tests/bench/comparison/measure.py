"""One measurement: a server of its own, trestle-load against it."""

import contextlib
import json
import os
import statistics
import subprocess
import sys


class Failed(Exception):
    pass


@contextlib.contextmanager
def awake_cores():
    """A loop on every core that has only what nobody else wants: the core never sleeps, so nobody waits for it to wake up."""

    def stand_back(core):
        os.sched_setaffinity(0, {core})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    loops = []
    try:
        for core in os.sched_getaffinity(0):
            loops.append(subprocess.Popen([sys.executable, "-c", "while True: pass"],
                                          preexec_fn=lambda core=core: stand_back(core)))
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def measure(server_class, build, **options):
    """What trestle-load --json says, with `--name value` of the options; raises Failed."""
    with server_class(build) as server:
        command = [
            f"{build}/bin/trestle-load", "--json", "--kind", server.kind, "--port", server.port,
            "--path", server.path, "--events", server.events, "--pid", *server.pids(), *server.arguments,
        ]
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            command += [flag] if value is True else [flag, value]
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=900, check=False
        )
    if done.returncode != 0:
        raise Failed(f"{server_class.name}: {done.stderr.strip()}{share_of(done.stdout)}")
    return json.loads(done.stdout)


def share_of(output):
    if not output.startswith("{"):
        return ""
    got = json.loads(output)
    return f" ({got['deliveries']:,} of {got['expected']:,} in {got['wall_s']:.0f} s)"


def middle(samples, name):
    """The median over the repeats, or None if there are none."""
    values = [sample[name] for sample in samples]
    return statistics.median(values) if values else None
