"""The results as Markdown: the bars with met or missed, then every case."""

import statistics

from measure import middle

PEERS = ["nats", "nchan", "mosquitto"]


class Figures:
    def __init__(self, results):
        self.samples = results["samples"]

    def get(self, case, server, name="cpu_us_per_delivery"):
        return middle(self.samples.get(case, {}).get(server, []), name)

    def ratio(self, case, name="cpu_us_per_delivery"):
        """To the floor, turn by turn: each turn's two were measured one right after the other."""
        ours = self.samples.get(case, {}).get("trestle", [])
        floor = self.samples.get(case, {}).get("floor", [])
        ratios = [a[name] / b[name] for a, b in zip(ours, floor) if b[name] > 0]
        return statistics.median(ratios) if ratios else None

    def best_peer(self, case):
        found = [self.get(case, peer) for peer in PEERS]
        return min((value for value in found if value), default=None)


def bar(what, measured, wanted, met, unit=""):
    return f"| {what} | {measured:.3g}{unit} | {wanted} | {'met' if met else '**missed**'} |"


def against_floor(f):
    rows = []
    for case, most in (("burst", 0.06), ("steady", 1.0)):
        ratio = f.ratio(case)
        if ratio is not None:
            rows.append(bar(f"{case}: CPU per delivery, of the floor's", ratio, f"<= {most}", ratio <= most))
    return rows


def against_peers(f):
    rows = []
    for case, least in (("burst", 3), ("steady", 1.15)):
        best, ours = f.best_peer(case), f.get(case, "trestle")
        if best and ours:
            rows.append(bar(f"{case}: times better than the best of {', '.join(PEERS)}", best / ours,
                            f">= {least}", best / ours >= least))
    return rows


def scaling(f):
    rows = []
    for kind in ("burst", "paced"):
        found = [f.ratio(f"clients {n} {kind}") for n in (100, 1_000, 9_000)]
        if all(found):
            spread = max(found) / min(found)
            ratios = " / ".join(f"{ratio:.3g}" for ratio in found)
            rows.append(bar(f"100 / 1,000 / 9,000 clients, {kind}: ratios to the floor {ratios}; largest to "
                            "smallest", spread, "<= 1.15", spread <= 1.15))
    return rows


def latency(f):
    rows = []
    ours, floor = f.get("distinct", "trestle"), f.get("distinct", "floor")
    if ours and floor:
        rows.append(bar("distinct subscriptions: CPU per event on top of the floor's delivery", ours - floor,
                        "<= 3 us", ours - floor <= 3, " us"))
    for name, most in (("p50_ms", 0.15), ("p99_ms", 1)):
        value = f.get("round trip", "trestle", name)
        if value:
            rows.append(bar(f"round trip of one event, {name[:3]}", value, f"<= {most} ms", value <= most, " ms"))
    ratio = f.ratio("steady", "p99_ms")
    if ratio:
        rows.append(bar("steady: p99 latency, of the floor's", ratio, "<= 1", ratio <= 1))
    return rows


def memory(f):
    rows = []
    idle = f.get("idle", "trestle", "idle_bytes_per_client")
    if idle:
        rows.append(bar("resident per idle connection", idle / 1024, "<= 5 KiB", idle <= 5 * 1024, " KiB"))
    calm, hit = f.get("none stopped", "trestle", "p99_ms"), f.get("100 stopped", "trestle", "p99_ms")
    if calm and hit:
        rows.append(bar("100 of 1,000 clients stopped: the others' p99, of that with none", hit / calm, "<= 1.2",
                        hit <= 1.2 * calm))
        grown = f.get("100 stopped", "trestle", "grown_bytes") / 2**20
        sockets = f.get("100 stopped", "trestle", "socket_bytes") / 2**20
        rows.append(bar(f"memory grown meanwhile (and {sockets:.0f} MiB in the kernel's sockets)", grown,
                        "<= 416 MiB", grown <= 416, " MiB"))
    large = f.get("large", "trestle", "grown_bytes")
    if large is not None:
        grown = large / 2**20
        # 1,000 copies would be 490 MiB; a few encoded events are meant.
        rows.append(bar("512 KB events to 1,000 clients: memory grown", grown, "a few events", grown <= 16, " MiB"))
    return rows


def case_rows(case, servers):
    rows = []
    for server, samples in servers.items():
        cell = lambda name, digits=3: f"{middle(samples, name):.{digits}f}"  # noqa: E731
        costs = [sample["cpu_us_per_delivery"] for sample in samples]
        rows.append(f"| {case} | {server} | {cell('cpu_us_per_delivery')} | {min(costs):.3f} to {max(costs):.3f} "
                    f"| {cell('p50_ms')} | {cell('p99_ms')} | {cell('p999_ms')} | {cell('bytes_per_delivery', 0)} "
                    f"| {middle(samples, 'idle_bytes_per_client') / 1024:.1f} |")
    return rows


def markdown(results):
    f = Figures(results)
    about = [f"* {name}: {value}" for name, value in {**results["machine"], **results["versions"]}.items()]
    lines = ["# Trestle and others", "", f"Written by `{results['command']}`.", "", *about]
    lines += [f"* left out: {why}" for why in results["left_out"]]
    lines += [f"* failed: {why}" for why in results["failures"]]
    lines += ["", "| what must be reached | measured | bar | |", "|---|---|---|---|"]
    lines += against_floor(f) + against_peers(f) + scaling(f) + latency(f) + memory(f)
    lines += ["", "Medians of the turns; the CPU is that of all the server's processes.", "",
              "| case | server | CPU per delivery, us | range | p50, ms | p99, ms | p99.9, ms | bytes per delivery "
              "| KiB per connection |", "|---|---|---|---|---|---|---|---|---|"]
    for case, servers in results["samples"].items():
        lines += case_rows(case, servers)
    return "\n".join(lines) + "\n"
