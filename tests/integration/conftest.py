"""Fixtures: a real trestled, producers and clients for it, all of them stopped and checked at the end of the test."""
import contextlib
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.bridge import BINARY, REPOSITORY, Bridge  # noqa: E402
from harness.client import Client  # noqa: E402
from harness.producer import Control, Publisher, Sequenced  # noqa: E402
from harness.tls import Authority  # noqa: E402


@pytest.fixture
def shared():
    """The folder with the seed documents; a clone of the repository alone has none."""
    folder = pathlib.Path(os.environ.get("TRESTLE_SHARED") or REPOSITORY.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"needs the shared folder beside the repository, and there is no {folder}")
    return folder


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Issues the certificates that clients trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def make_bridge(tmp_path):
    """make_bridge(config={…}, env={…}): a Bridge that is not started yet."""
    if not BINARY.exists():
        pytest.fail(f"{BINARY} is missing: build it, or name another one in TRESTLED")
    bridges = []

    def make(config=None, **options):
        bridges.append(Bridge(tmp_path / f"bridge{len(bridges)}", config, **options))
        return bridges[-1]

    yield make
    with contextlib.ExitStack() as ends:
        for bridge in bridges:
            if bridge.process:
                ends.callback(bridge.check_clean_end)


@pytest.fixture
def trestled(make_bridge):
    """trestled({"heartbeat": …}): a Bridge that serves, its configuration laid over the tests' own."""
    return lambda config=None, **options: make_bridge(config, **options).start()


@pytest.fixture
def bridge(trestled):
    """A trestled as most tests want it."""
    return trestled()


@pytest.fixture
def closing():
    """closing(x) returns x and calls x.close() when the test ends."""
    with contextlib.ExitStack() as ends:
        def register(thing):
            ends.callback(thing.close)
            return thing
        yield register


@pytest.fixture
def connect(closing):
    """connect(url, **options) or connect(bridge, **query): a Client."""
    def make(target, **options):
        if isinstance(target, Bridge):
            names = ("subprotocols", "extra_headers", "origin", "compression")
            settings = {name: options.pop(name) for name in names if name in options}
            return closing(Client(target.ws_url(**options), **settings))
        return closing(Client(target, **options))
    return make


@pytest.fixture
def publisher(closing):
    """publisher(bridge, …): plain events, for one bridge or several."""
    return lambda *bridges, **options: closing(Publisher(*(bridge.events_addr for bridge in bridges), **options))


@pytest.fixture
def sequenced(closing):
    """sequenced(bridge, "id"): a producer that has been welcomed."""
    return lambda bridge, producer="worker-1", **options: closing(Sequenced(bridge, producer, **options))


@pytest.fixture
def control(closing):
    """control(bridge, "id"): the control socket alone."""
    return lambda bridge, producer="worker-1", **options: closing(Control(bridge.control_addr, producer, **options))
