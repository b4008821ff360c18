"""SIGTERM and SIGINT: clients are told, then closed with 1001, and the process ends with 0 within five seconds."""
import signal

import pytest

from harness.raw import RawWebSocket


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_notice_then_1001(bridge, connect, sig):
    meta, plain = connect(bridge, meta="1"), connect(bridge)
    meta.until("live")
    bridge.process.send_signal(sig)
    notice = meta.json()
    assert list(notice) == ["success", "data"]
    assert set(notice["data"]) == {"type", "after_ms", "spread_ms"} and notice["data"]["type"] == "drain"
    assert meta.close_code() == 1001 and plain.close_code() == 1001
    assert bridge.exit_code() == 0


def test_a_plain_client_gets_no_notice(bridge, connect):
    plain = connect(bridge)
    bridge.process.send_signal(signal.SIGTERM)
    with pytest.raises(Exception, match="1001"):
        plain.text()


def test_what_was_published_before_is_delivered_before(bridge, connect, publisher):
    client, source = connect(bridge), publisher(bridge)
    for n in range(500):
        source.event({"type": "note", "n": n})
    assert client.data()["n"] == 0
    bridge.wait_status(lambda status: status["offset"] >= 500, "all events taken in")
    bridge.process.send_signal(signal.SIGTERM)
    assert [client.data()["n"] for _ in range(499)] == list(range(1, 500))
    assert client.close_code() == 1001


def test_clients_that_do_not_react_do_not_delay_the_end(bridge, closing, publisher):
    for _ in range(20):
        closing(RawWebSocket(bridge.port, "/?token=" + bridge.token))
    source = publisher(bridge)
    for n in range(200):
        source.event({"type": "note", "pad": "x" * 10000})
    assert bridge.stop() == 0


def test_idle_connections_do_not_delay_the_end(bridge, closing):
    from harness.raw import connect
    for _ in range(5):
        closing(connect(bridge.port))
    assert bridge.stop() == 0


def test_a_second_signal_while_draining_does_no_harm(bridge, connect):
    connect(bridge)
    bridge.process.send_signal(signal.SIGTERM)
    bridge.process.send_signal(signal.SIGTERM)
    assert bridge.exit_code() == 0


def test_the_ports_are_free_again_at_once(bridge, connect):
    client = connect(bridge)
    bridge.stop()
    assert client.close_code() == 1001
    bridge.restart()
    assert connect(bridge).request("ping")["success"]


def test_no_log_file_or_socket_is_left_behind(trestled, tmp_path):
    bridge = trestled({"ingest": {"bind": [f"ipc://{tmp_path}/events.sock"], "control": f"ipc://{tmp_path}/control.sock"}})
    before = {path.name for path in bridge.folder.iterdir()}
    bridge.stop()
    assert {path.name for path in bridge.folder.iterdir()} == before
    assert bridge.restart().healthy()
