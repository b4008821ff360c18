"""Which events a client gets: the query, then subscribe and unsubscribe."""
import pytest


def publish_all(source, *types):
    for kind in types:
        source.event({"type": kind})


@pytest.mark.parametrize("topics, seen", [
    (">", ["a", "a.b", "a.b.c", "z"]),
    ("a", ["a"]),
    ("a.*", ["a.b"]),
    ("a.>", ["a.b", "a.b.c"]),
    ("*.b", ["a.b"]),
    ("*", ["a", "z"]),
    ("a,a.>", ["a", "a.b", "a.b.c"]),
    (">,a", ["a", "a.b", "a.b.c", "z"]),
    ("nothing-of-the-kind", []),
    ("", []),
])
def test_the_topics_parameter(bridge, publisher, connect, topics, seen):
    client, source = connect(bridge, topics=topics), publisher(bridge)
    client.request("subscribe", topics=["fence"])
    publish_all(source, "a", "a.b", "a.b.c", "z", "fence")
    assert [data["type"] for data in client.collect("fence")] == seen


def test_without_the_parameter_everything_comes(bridge, publisher, connect):
    client, source = connect(bridge), publisher(bridge)
    publish_all(source, "a", "b.c", "fence")
    assert [data["type"] for data in client.collect("fence")] == ["a", "b.c"]


@pytest.mark.parametrize("query", [
    {"topics": "a..b"}, {"topics": "a,,b"}, {"topics": "a.>.b"}, {"topics": "a b"}, {"topics": "%2e"}, {"topics": "a."},
    {"format": "xml"}, {"format": ""}, {"meta": "yes"}, {"meta": "2"},
])
def test_a_bad_query_value_is_4400(bridge, connect, query):
    assert connect(bridge, **query).close_code() == 4400


def test_the_query_is_decoded_once(bridge, publisher, connect):
    """A percent sign in a topic is written %25 in the query and arrives as %."""
    client = connect(bridge, topics="command-progress.a%20b")       # the helper encodes the percent sign
    source = publisher(bridge)
    source.event({"type": "command-progress", "id": "other"})
    source.event({"type": "command-progress", "id": "a b"})
    assert client.data()["id"] == "a b"


def test_subscribe_adds_and_unsubscribe_takes_away(bridge, publisher, connect):
    client, source = connect(bridge, topics=""), publisher(bridge)
    reply = client.request("subscribe", id="s1", topics=["a", "b.*"])
    assert reply == {"success": True, "data": {"type": "subscribed", "id": "s1", "topics": reply["data"]["topics"]}}
    assert sorted(reply["data"]["topics"]) == ["a", "b.*"]
    publish_all(source, "a", "b.1", "c")
    assert client.data()["type"] == "a" and client.data()["type"] == "b.1"

    reply = client.request("unsubscribe", id=2, topics=["a"])
    assert reply["data"]["type"] == "unsubscribed" and reply["data"]["id"] == 2
    publish_all(source, "a", "b.2")
    assert client.data()["type"] == "b.2"


def test_unsubscribe_needs_the_exact_pattern(bridge, publisher, connect):
    client, source = connect(bridge), publisher(bridge)
    client.request("unsubscribe", topics=["a"])
    source.event({"type": "a"})
    assert client.data()["type"] == "a"
    client.request("unsubscribe", topics=[">"])
    client.request("subscribe", topics=["fence"])
    publish_all(source, "a", "fence")
    assert client.data()["type"] == "fence"


def test_overlapping_patterns_deliver_once(bridge, publisher, connect):
    client, source = connect(bridge, topics="a.>"), publisher(bridge)
    client.request("subscribe", topics=["a.*", ">", "a.b", "a.>"])
    publish_all(source, "a.b", "fence")
    assert [data["type"] for data in client.collect("fence")] == ["a.b"]


def test_topics_may_be_one_comma_separated_text(bridge, publisher, connect):
    client, source = connect(bridge, topics=""), publisher(bridge)
    assert client.request("subscribe", topics="a,b")["success"]
    publish_all(source, "c", "b")
    assert client.data()["type"] == "b"


def test_a_new_subscription_brings_its_snapshot(bridge, publisher, connect):
    source, watcher = publisher(bridge), connect(bridge)
    source.event({"type": "queue-update", "uploadQueued": 3})
    watcher.text()
    client = connect(bridge, topics="")
    client.request("subscribe", topics=["queue-update"])
    assert client.data() == {"type": "queue-update", "uploadQueued": 3}
    client.request("subscribe", topics=["queue-update"])           # held already: nothing comes twice
    source.event({"type": "queue-update", "uploadQueued": 4})
    assert client.data()["uploadQueued"] == 4


def test_events_of_system_topics_need_their_own_pattern(bridge, sequenced, publisher, connect):
    client = connect(bridge)
    sequenced(bridge, "worker-7")                                  # its presence is an event of $sys.producer.worker-7
    publisher(bridge).event({"type": "fence"})
    assert client.data()["type"] == "fence"


def test_many_clients_with_different_subscriptions(bridge, publisher, connect):
    clients = {n: connect(bridge, topics=f"kind.{n % 5}") for n in range(40)}
    source = publisher(bridge)
    for n in range(50):
        source.event({"type": "kind." + str(n % 5), "n": n})
    for n, client in clients.items():
        assert [client.data()["n"] for _ in range(10)] == list(range(n % 5, 50, 5))


def test_who_connects_alone_is_live_at_once(trestled, publisher, connect):
    """An event that nothing keeps, published as soon as the handshake is done, arrives."""
    bridge = trestled({"topics": [{"match": "blink", "keep": "none"}]})
    source = publisher(bridge)
    for n in range(200):
        client = connect(bridge)
        source.event({"type": "blink", "n": n})
        assert client.data()["n"] == n
        client.close()
