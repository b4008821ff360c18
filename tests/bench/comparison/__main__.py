"""Runs every case for every server in turn and writes the results; tests/bench/compare starts it."""

import argparse
import json
import os
import platform
import signal
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import table
from cases import ALL, all_cases
from measure import Failed, awake_cores, measure

RESULTS = Path(__file__).resolve().parents[1] / "results"


def arguments():
    parser = argparse.ArgumentParser(
        prog="tests/bench/compare",
        description="Trestle beside the floor and other servers: a table and plots in tests/bench/results/.",
    )
    parser.add_argument("--quick", action="store_true", help="a short look, 200 clients and 100 events")
    parser.add_argument("--repeat", type=int, default=3, help="times; the median counts (3)")
    parser.add_argument("--only", action="append", default=[], metavar="CASE", help="cases that begin so")
    parser.add_argument("--into", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--draw", action="store_true", help="measure nothing: table and plots of the last run")
    parser.add_argument("--build", default="build", help=argparse.SUPPRESS)
    return parser.parse_args()


def machine():
    model = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {
        "cpu": f"{os.cpu_count()} x {model[0] if model else platform.machine()}",
        "kernel": platform.release(),
        "load before": Path("/proc/loadavg").read_text().split()[0],
        "date": time.strftime("%Y-%m-%d"),
    }


def take_turns(cases, servers, repeat, build, failures):
    """Interleaved: what else the machine does meets all servers alike."""
    samples = {case.name: {} for case in cases}
    for case in cases:
        given_up = set()
        for _ in range(1 if case.once else repeat):
            for server in case.servers:
                if (server in ALL and server not in servers) or server in given_up:
                    continue
                try:
                    with awake_cores() if case.awake else nullcontext():
                        got = measure(server, build, **case.options)
                except (Failed, RuntimeError) as failed:
                    given_up.add(server)
                    failures.append(f"{case.name}: {failed}")
                    print(f"  {failures[-1]}", file=sys.stderr, flush=True)
                    continue
                samples[case.name].setdefault(server.name, []).append(got)
                print(f"{case.name:24} {server.name:14} {got['cpu_us_per_delivery']:9.3f} us/delivery  "
                      f"p50 {got['p50_ms']:.3f} ms  p99 {got['p99_ms']:.3f} ms", flush=True)
    return samples


def plotter():
    """Before anything is measured: the plots are the last thing that is made of many minutes' work."""
    try:
        import plots
    except ModuleNotFoundError as missing:
        sys.exit(f"tests/bench/compare: no Python module {missing.name}, which draws the plots; "
                 "apt-get install python3-matplotlib (tests/bench/peers.txt has all that it can use)")
    return plots


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # the servers end with us
    options = arguments()
    plots = plotter()
    options.into.mkdir(parents=True, exist_ok=True)
    raw = options.into / "compare.json"
    if options.draw:
        results = json.loads(raw.read_text())
    else:
        left_out = [why for why in (server.missing() for server in ALL) if why]
        servers = [server for server in ALL if not server.missing()]
        for why in left_out:
            print(f"left out: {why}", file=sys.stderr)
        cases = [case for case in all_cases(options.quick)
                 if not options.only or any(case.name.startswith(only) for only in options.only)]
        started = " ".join(["tests/bench/compare", *(a for a in sys.argv[1:] if not a.startswith("--build"))])
        results = {
            "command": started, "machine": machine(), "left_out": left_out, "failures": [],
            "versions": {server.name: server.version() for server in servers},
        }
        results["samples"] = take_turns(cases, servers, options.repeat, options.build, results["failures"])
        raw.write_text(json.dumps(results, indent=1) + "\n")
    (options.into / "compare.md").write_text(table.markdown(results))
    plots.draw(results, options.into)
    print(f"wrote {options.into}/compare.md, compare.json and plots")
    return 1 if results["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
