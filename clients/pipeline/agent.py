#!/usr/bin/python3
"""A pretended AI agent, to show that a producer needs nothing but ZeroMQ.

It publishes five event types (agent_execution_started, streaming_output, artifact_published, graph_updated,
agent_execution_completed) as plain two-frame messages: an empty topic, which the bridge completes, and the event as JSON.
Such events are sent at most once: what ZeroMQ drops before the bridge is not repaired.
"""
import argparse
import json
import os
import random
import signal
import sys
import time
import uuid
from datetime import datetime, timezone

import zmq

EXAMPLES = """examples:
  agent.py                                  run after run, until SIGTERM or SIGINT
  agent.py --once                           one run, then exit
  agent.py --events tcp://127.0.0.1:5556 --interval 0.5 --seed 1

exit codes: 0 done or stopped, 2 bad options"""

TEAM = {
    "pizza_master": ("Pizza", [
        "Reading the order: one large pizza, something green, nothing that swims. ",
        "The dough has rested for a day, so a hot and short bake will do. ",
        "Tomato, mozzarella, rocket after the oven, a little lemon. ",
        "That makes eleven minutes from bell to box."]),
    "wine_steward": ("Pairing", [
        "A tomato base wants acid, the rocket wants fruit. ",
        "Barbera would carry both; Chianti is the safe choice. ",
        "Serving it a little cooler than usual, at 16 °C."]),
    "waiter": ("Bill", [
        "Table four had one pizza and half a bottle. ",
        "Adding bread, taking off the birthday discount. ",
        "The sum is 23.50; the guest rounds up."]),
}


STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)  # blocked, and looked for where we pause anyway


class Stopped(Exception):
    """SIGTERM or SIGINT came."""


def pause(seconds):
    """Sleeps; raises Stopped if a stop signal comes meanwhile or has come before."""
    if signal.sigtimedwait(STOP_SIGNALS, seconds):
        raise Stopped


class Graph:
    """Who made what and who used it: agents and artifacts are nodes, "produced" and "consumed" are edges."""

    KEEP = 12  # newest artifacts; the graph is sent whole each time

    def __init__(self):
        self.agents, self.artifacts, self.edges = {}, [], []

    def agent(self, name, status):
        self.agents[name] = {"id": name, "kind": "agent", "label": name, "status": status}

    def artifact(self, artifact_id, artifact_type, maker, consumer):
        self.artifacts.append({"id": artifact_id, "kind": "artifact", "label": artifact_type})
        self.edges.append({"source": maker, "target": artifact_id, "label": "produced"})
        if consumer:
            self.edges.append({"source": artifact_id, "target": consumer, "label": "consumed"})
        self.artifacts = self.artifacts[-self.KEEP:]
        known = {artifact["id"] for artifact in self.artifacts} | set(TEAM)
        self.edges = [edge for edge in self.edges if {edge["source"], edge["target"]} <= known]

    def event(self):
        return {"type": "graph_updated", "nodes": [*self.agents.values(), *self.artifacts], "edges": self.edges}


class Agents:
    """Lets the team work through one order after another."""

    def __init__(self, publish, pace, rng):
        self.publish, self.pace, self.rng = publish, pace, rng
        self.graph = Graph()
        for name in TEAM:
            self.graph.agent(name, "idle")

    def workflow(self):
        correlation = f"workflow-{uuid.UUID(int=self.rng.getrandbits(128), version=4)}"
        names = list(TEAM)
        for name, consumer in zip(names, [*names[1:], None]):
            self.run(name, consumer, correlation)

    def run(self, name, consumer, correlation):
        run = {"agent_id": name, "run_id": str(uuid.uuid4())}
        started = time.monotonic()
        self.show(name, "running")
        self.publish({"type": "agent_execution_started", **run, "timestamp": iso_now(), "correlation_id": correlation})
        artifact_type, sentences = TEAM[name]
        self.stream(run, "".join(sentences))
        artifact_id = str(uuid.uuid4())
        self.publish({"type": "artifact_published", "artifact_id": artifact_id, "artifact_type": artifact_type,
                      "produced_by": name, "correlation_id": correlation, "run_id": run["run_id"],
                      "timestamp": iso_now()})
        self.graph.artifact(artifact_id, artifact_type, name, consumer)
        self.show(name, "idle")
        self.publish({"type": "agent_execution_completed", **run, "timestamp": iso_now(),
                      "duration_ms": round((time.monotonic() - started) * 1000, 1), "status": "success"})

    def stream(self, run, text):
        """Token by token, as a language model writes; the last event is empty and says that it is over."""
        words = text.split(" ")
        for i, word in enumerate(words):
            token = word if i == len(words) - 1 else word + " "
            self.publish({"type": "streaming_output", **run, "content": token, "is_complete": False})
            pause(self.pace * self.rng.uniform(0.4, 1.6))
        self.publish({"type": "streaming_output", **run, "content": "", "is_complete": True})

    def show(self, name, status):
        self.graph.agent(name, status)
        self.publish(self.graph.event())


def iso_now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def curve_keys(path):
    """{"public": …, "secret": …} of a file that `trestle keygen` made; FILE.pub has the first only."""
    with open(path, encoding="ascii") as lines:
        return dict(line.split(": ", 1) for line in map(str.strip, lines) if ": " in line and not line.startswith("#"))


def prove_identity(socket, key_file, server):
    """CURVE: encrypted, and only for bridges that have this key on their list."""
    keys = curve_keys(key_file)
    socket.curve_publickey, socket.curve_secretkey = keys["public"].encode(), keys["secret"].encode()
    socket.curve_serverkey = (curve_keys(server)["public"] if os.path.exists(server) else server).encode()


def connect(address, key_file, server):
    """A PUB socket whose connection stands, or will when the bridge comes: events before that are lost, by design."""
    socket = zmq.Context.instance().socket(zmq.PUB)
    socket.set(zmq.LINGER, 500)
    if key_file:
        prove_identity(socket, key_file, server)
    monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    socket.connect(address)
    for _ in range(20):
        if monitor.poll(100):
            pause(0.2)  # the bridge's subscription follows the handshake
            break
        pause(0)
    socket.disable_monitor()
    return socket


def options():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", default="tcp://127.0.0.1:5556", metavar="ADDR", help="the bridge's event socket")
    parser.add_argument("--curve-key", metavar="FILE", help="CURVE: our key pair, made by trestle keygen")
    parser.add_argument("--curve-server", metavar="KEY", help="CURVE: public key of the bridge, or its FILE.pub")
    parser.add_argument("--interval", type=float, default=2.0, metavar="SECONDS", help="pause between workflows")
    parser.add_argument("--pace", type=float, default=0.08, metavar="SECONDS", help="mean time between tokens")
    parser.add_argument("--once", action="store_true", help="one workflow, then exit")
    parser.add_argument("--seed", type=int, help="the same pauses each time")
    chosen = parser.parse_args()
    if bool(chosen.curve_key) != bool(chosen.curve_server):
        parser.error("CURVE needs both --curve-key and --curve-server")
    return chosen


def main():
    chosen = options()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        socket = connect(chosen.events, chosen.curve_key, chosen.curve_server)
    except zmq.ZMQError as error:
        print(f"agent.py: --events {chosen.events}: {error}", file=sys.stderr)
        return 2
    except (OSError, KeyError, ValueError) as error:
        print(f"agent.py: no key pair of `trestle keygen`, or no public key: {error}", file=sys.stderr)
        return 2
    except Stopped:
        return 0

    def publish(event):
        socket.send_multipart([b"", json.dumps(event, ensure_ascii=False).encode()])

    agents = Agents(publish, chosen.pace, random.Random(chosen.seed))
    try:
        agents.workflow()
        while not chosen.once:
            pause(chosen.interval)
            agents.workflow()
    except Stopped:
        pass
    finally:
        zmq.Context.instance().destroy(linger=500)
    return 0


if __name__ == "__main__":
    sys.exit(main())
