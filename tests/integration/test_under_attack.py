"""Clients that behave go on getting every event in order, while others do everything at once that costs a bridge something.

How long an event takes meanwhile is not measured here: that wants a quiet machine."""
import contextlib
import os
import signal
import subprocess
import sys
import time

from harness.innocent import memory_kb
from harness.wait import PATIENCE, TIMEOUT, share_of

CLIENTS = share_of(200, least=20)
EVENTS = share_of(300, least=50)
EVERY = 0.02
MOST_KB = 64 * 1024 * (1 if PATIENCE == 1 else 12)                  # sanitizers keep what is freed
ATTACK = os.path.join(os.path.dirname(__file__), "harness", "attack.py")


@contextlib.contextmanager
def attackers(port, *kinds):
    """A process for each kind of attack, ended with the block; each has to have reached the bridge."""
    running = [subprocess.Popen([sys.executable, ATTACK, kind, str(port)], stdout=subprocess.PIPE, text=True) for kind in kinds]
    try:
        for process in running:
            assert process.stdout.readline() == "attacking\n"
        yield
        for process, kind in zip(running, kinds):
            assert process.poll() is None, f"{kind} gave up"
    finally:
        for process in running:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()


def test_200_clients_miss_nothing_while_others_attack(trestled, connect, publisher):
    bridge = trestled({"listen": {"trusted_proxies": ["127.0.0.1"]},
                       "limits": {"per_address": 50, "connections": CLIENTS + 200, "failed_auth": 3, "handshake": "2s"}})
    good = [connect(bridge, topics="tick", extra_headers={"X-Forwarded-For": f"192.0.2.{n % 200}"}) for n in range(CLIENTS)]
    source, before = publisher(bridge), memory_kb(bridge)
    with attackers(bridge.port, "half-open", "garbage", "guess", "flood"):
        for n in range(EVENTS):
            source.event({"type": "tick", "n": n})
            time.sleep(EVERY)
        for client in good:
            assert [client.data(timeout=4 * TIMEOUT)["n"] for _ in range(EVENTS)] == list(range(EVENTS))
        assert memory_kb(bridge) - before < MOST_KB
    assert all(client.is_open for client in good)
    counters = bridge.status()["counters"]
    assert counters["auth_failed"] > 0 and counters["backed_off"] > 0, "guessing"
    assert counters["timed_out"] > 0, "half-open handshakes"
    assert counters["refused"] > 0, "floods"
    assert counters["events"] >= EVENTS
