"""Requests of clients: understood, or answered with an error that repeats the id, and the connection stays."""
import json

import pytest


def test_ping_and_its_id_come_back(bridge, connect):
    client = connect(bridge)
    for id in (7, "seven", 0, -1, "", "ü\"\\"):
        reply = client.request("ping", id=id)
        assert reply["success"] is True
        assert set(reply) == {"success", "data"}
        assert reply["data"]["type"] == "pong" and reply["data"]["id"] == id
        assert isinstance(reply["data"]["time"], int)


def test_a_number_comes_back_as_it_was_written(bridge, connect):
    client = connect(bridge)
    client.send('{"type":"ping","id":1.50}')
    assert '"id":1.50' in client.text().replace(" ", "")


def test_status_tells_a_client_about_itself(bridge, connect):
    client = connect(bridge, topics="a,b.*")
    status = client.request("status", id=1)["data"]
    assert status["type"] == "status" and status["epoch"] == bridge.status()["epoch"]
    assert status["session"] == bridge.status()["sessions"][0]["id"]
    assert sorted(status["topics"]) == ["a", "b.*"] and status["offset"] == 0


@pytest.mark.parametrize("text, id", [
    ('{"type":"dance","id":7}', 7),
    ('{"type":"dance","id":"x"}', "x"),
    ('{"id":7}', 7),
    ('{"type":7,"id":7}', 7),
    ('{"type":"subscribe","id":7}', 7),
    ('{"type":"subscribe","id":7,"topics":[]}', 7),
    ('{"type":"subscribe","id":7,"topics":7}', 7),
    ('{"type":"subscribe","id":7,"topics":["a..b"]}', 7),
    ('{"type":"subscribe","id":7,"topics":["a",7]}', 7),
    ('{"id":7,"type":"unsubscribe","topics":["a.>.b"]}', 7),
    ('{"type":"auth","id":7}', 7),
    ('{"type":"auth","id":7,"token":5}', 7),
    ('{"type":"auth","id":7,"token":"wrong"}', 7),
    ('{"type":"command","id":7,"topic":"a","data":{}}', 7),
    ('{"type":"ping","id":{"a":1}}', None),
    ('{"type":"ping","id":[7]}', None),
    ('not json', None),
    ('', None),
    ('[]', None),
    ('"ping"', None),
    ('{"type":"ping","id":7} x', None),
    ('{"a":' * 100 + '1' + '}' * 100, None),
])
def test_what_is_not_understood_gets_an_error_with_its_id(bridge, connect, text, id):
    client = connect(bridge)
    client.send(text)
    error = client.json()
    assert error["success"] is False and set(error) == {"success", "data"}
    assert error["data"]["type"] == "error" and error["data"]["code"] and error["data"]["message"]
    if id is not None:
        assert error["data"]["id"] == id
    assert client.request("ping")["data"]["type"] == "pong"


def test_requests_without_an_id_are_granted(bridge, connect, publisher):
    client = connect(bridge, topics="")
    client.send({"type": "subscribe", "topics": ["a"]})
    assert client.data()["type"] == "subscribed"
    publisher(bridge).event({"type": "a"})
    assert client.data()["type"] == "a"


def test_a_bare_client_gets_replies_as_envelopes(bridge, connect):
    reply = connect(bridge, path="/plugin/ws").request("ping", id=3)
    assert reply["success"] is True and reply["data"]["id"] == 3


def test_a_binary_frame_is_4400(bridge, connect):
    client = connect(bridge)
    client.send(b'{"type":"ping","id":1}')
    assert client.close_code() == 4400


def test_a_message_over_the_limit_is_1009(trestled, connect):
    bridge = trestled({"limits": {"message": "2KiB"}})
    client = connect(bridge)
    client.send(json.dumps({"type": "ping", "id": 1, "pad": "x" * 1000}))
    assert client.data()["type"] == "pong"
    client.send(json.dumps({"type": "ping", "id": 1, "pad": "x" * 3000}))
    assert client.close_code() == 1009


def test_invalid_utf8_in_a_text_frame_is_1007(bridge, closing):
    from harness.raw import RawWebSocket
    ws = closing(RawWebSocket(bridge.port, "/?token=" + bridge.token))
    ws.send(ws.TEXT, b'{"type":"\xff"}')
    assert ws.close_code() == 1007


def test_replies_keep_their_order(bridge, connect):
    client = connect(bridge)
    for n in range(30):
        client.send({"type": "ping", "id": n})
    assert [client.data()["id"] for _ in range(30)] == list(range(30))
