"""Several addresses at once, each with endpoints of its own."""
import http.client
import re

import pytest

from harness.client import Client
from harness.wait import eventually, free_port


@pytest.fixture
def two(trestled):
    """(bridge, open port): the first listener wants a token, the second serves /plugin/ws without one."""
    open_port = free_port()
    bridge = trestled({"listen": [
        {"address": "127.0.0.1", "port": 0},
        {"address": "127.0.0.1", "port": open_port, "endpoints": [{"path": "/plugin/ws", "format": "bare", "auth": "none"}]},
    ]})
    return bridge, open_port


def test_each_listener_has_its_endpoints(two, publisher, connect):
    bridge, open_port = two
    envelope = connect(bridge)
    bare = connect(bridge.ws_url("/plugin/ws", token=None, port=open_port))
    publisher(bridge).event('{"type":"hello"}')
    assert envelope.text() == '{"success":true,"data":{"type":"hello"}}'
    assert bare.text() == '{"type":"hello"}'


def test_the_token_is_still_needed_at_the_other_one(two, connect):
    bridge, _ = two
    assert connect(bridge, path="/plugin/ws", token="wrong").close_code() == 4401


def test_an_open_endpoint_reads_and_does_nothing_else(two, connect):
    bridge, open_port = two
    client = connect(bridge.ws_url("/plugin/ws", token=None, port=open_port))
    assert client.request("ping")["success"]
    assert not client.request("command", topic="a", data={})["success"]
    assert not client.request("subscribe", topics=["$sys.>"])["success"]


def test_system_topics_are_not_for_everybody(two, sequenced, publisher, connect):
    bridge, open_port = two
    client = connect(bridge.ws_url("/plugin/ws", token=None, port=open_port))
    sequenced(bridge, "worker-1")
    publisher(bridge).event({"type": "fence"})
    assert client.json()["type"] == "fence"


def test_status_needs_a_token_at_every_listener(two):
    bridge, open_port = two
    assert bridge.http("/api/status", port=open_port)[0] == 401
    assert bridge.http("/healthz", port=open_port)[0] == 200


def test_an_endpoint_that_a_listener_does_not_have(two):
    import websockets
    bridge, open_port = two
    with pytest.raises(websockets.InvalidStatusCode) as refused:
        Client(bridge.ws_url("/ws", token=None, port=open_port))
    assert refused.value.status_code == 404


def test_endpoints_of_ones_own(trestled, publisher, connect):
    bridge = trestled({"endpoints": [{"path": "/api/ws/ws", "format": "bare"}, {"path": "/realtime/ws", "auth": "none"}]})
    bare, envelope = connect(bridge, path="/api/ws/ws"), connect(bridge, path="/realtime/ws", token=None)
    publisher(bridge).event('{"type":"hello"}')
    assert bare.text() == '{"type":"hello"}'
    assert envelope.json()["success"] is True


def test_localhost_is_both_loopback_addresses(trestled):
    bridge = trestled({"listen": {"address": "localhost", "port": free_port()}})
    for host in ("127.0.0.1", "::1"):
        connection = http.client.HTTPConnection(host, bridge.port, timeout=5)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()


def test_port_0_picks_one_and_logs_it(bridge):
    line = bridge.logs("listening")[0]
    assert line["address"] == "127.0.0.1" and 0 < line["port"] < 65536


def test_port_0_is_said_in_plain_text_logs_too(make_bridge):
    bridge = make_bridge({"log": {"format": "text"}}).launch()
    found = eventually(lambda: re.search(r"listening address=127.0.0.1 port=(\d+)", bridge.output()), "the port")
    bridge.port = int(found[1])
    eventually(bridge.healthy, "/healthz")


def test_authentication_can_be_off(trestled, publisher, connect):
    bridge = trestled({"auth": {"enabled": False, "token": None}})
    client = connect(bridge, token=None)
    publisher(bridge).event({"type": "hello"})
    assert client.data()["type"] == "hello"
    assert not client.request("subscribe", topics=["$sys.>"])["success"]
