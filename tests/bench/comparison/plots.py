"""The results as plots, each as SVG and PNG."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from cases import CLIENTS, SUBSCRIPTIONS  # noqa: E402
from table import Figures  # noqa: E402

SERVERS = ["floor", "trestle", "trestle, in memory", "nats", "nchan", "mosquitto", "pushpin"]
COLOURS = dict(zip(SERVERS, ["#888888", "#d1495b", "#e8a0a8", "#2e86ab", "#3a7d44", "#8f5aa8", "#c98a1b"]))


def draw(results, folder):
    plt.rcParams.update({"svg.hashsalt": "trestle", "font.size": 9})
    f = Figures(results)
    save(main_plot(f, results), folder / "compare")
    if any(case.startswith(("clients ", "subscriptions ")) and found for case, found in results["samples"].items()):
        save(by_numbers(f), folder / "numbers")


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=120)
    plt.close(figure)


def main_plot(f, results):
    figure, axes = plt.subplots(2, 4, figsize=(14, 6.4))
    cost = "cpu_us_per_delivery"
    per_second = lambda value: 1 / value  # noqa: E731  deliveries in a microsecond of CPU: millions a second
    bars(axes[0][0], f, "burst", cost, "burst: CPU per delivery, us")
    bars(axes[0][1], f, "steady", cost, "200 events/s: CPU per delivery, us")
    bars(axes[0][2], f, "burst", cost, "burst: million deliveries per CPU-second", per_second)
    bars(axes[0][3], f, "distinct", cost, "one subscription each: CPU per event, us")
    percentiles(axes[1][0], f, "steady", "200 events/s: latency, ms (p50, p99, p99.9)")
    percentiles(axes[1][1], f, "round trip", "one event, one client: ms (p50, p99, p99.9)")
    bars(axes[1][2], f, "idle", "idle_bytes_per_client", "KiB resident per idle connection",
         lambda value: value / 1024)
    bars(axes[1][3], f, "burst", "wall_s", "burst: seconds until all have all")
    machine = results["machine"]
    figure.suptitle(f"1,000 clients, 1,000 events of 200 bytes, WebSocket on loopback - {machine['cpu']}, "
                    f"{machine['date']}")
    return figure


def bars(axis, f, case, name, title, change=lambda value: value):
    found = {server: f.get(case, server, name) for server in SERVERS}
    found = {server: change(value) for server, value in found.items() if value}
    drawn = axis.barh(list(found), list(found.values()), color=[COLOURS[server] for server in found])
    axis.bar_label(drawn, fmt="%.3g", padding=2)
    axis.set_title(title, fontsize=9)
    axis.margins(x=0.2)
    axis.invert_yaxis()


def percentiles(axis, f, case, title):
    servers = [server for server in SERVERS if f.get(case, server, "p50_ms")]
    for row, server in enumerate(servers):
        values = [f.get(case, server, name) for name in ("p50_ms", "p99_ms", "p999_ms")]
        axis.plot(values, [row] * 3, "-", color=COLOURS[server])
        for value, mark in zip(values, "os^"):
            axis.plot(value, row, mark, color=COLOURS[server])
    axis.set_yticks(range(len(servers)), servers)
    axis.set_xscale("log")
    axis.set_title(title, fontsize=9)
    axis.invert_yaxis()


def by_numbers(f):
    figure, axes = plt.subplots(1, 3, figsize=(14, 3.8))
    curves(axes[0], f, "clients {} burst", CLIENTS, "clients", "200 events in a burst")
    curves(axes[1], f, "clients {} paced", CLIENTS, "clients", "50,000 deliveries a second")
    curves(axes[2], f, "subscriptions {}", SUBSCRIPTIONS, "different subscriptions of 1,000 clients",
           "200 events for each client in a burst")
    return figure


def curves(axis, f, case, numbers, what, title):
    for server in SERVERS:
        points = [(n, f.get(case.format(n), server)) for n in numbers]
        points = [(n, value) for n, value in points if value]
        if points:
            axis.loglog(*zip(*points), "o-", color=COLOURS[server], label=server)
    axis.set_xlabel(what)
    axis.set_title(f"CPU per delivery, us: {title}", fontsize=9)
    axis.grid(True, which="both", alpha=0.2)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=8)
