"""What is measured: each case is trestle-load's options, for some of the servers."""

from dataclasses import dataclass, field

from pushpin import Pushpin
from servers import Floor, Mosquitto, Nats, Nchan, Trestle, TrestleInMemory, TrestleMerging, TrestleTls

ALL = [Floor, Trestle, Nats, Nchan, Mosquitto, Pushpin]
OURS = [Floor, Trestle]
# Pushpin delivers about 20,000 a second here; asked for more, it falls behind and loses some.
FAST = [server for server in ALL if server not in (Mosquitto, Pushpin)]
# Mosquitto's WebSocket listener takes about 0.2 s for each client that comes: a thousand take minutes.
MANY = [server for server in ALL if server is not Mosquitto]
CLIENTS = [100, 1_000, 4_000, 9_000]
SUBSCRIPTIONS = [1, 10, 100, 1_000]
PACED = 50_000  # deliveries a second that every server keeps up with


@dataclass
class Case:
    name: str
    options: dict
    servers: list = field(default_factory=lambda: ALL)
    once: bool = False  # not repeated: it is long, or a number that does not wander
    awake: bool = False  # no core sleeps meanwhile

    def __post_init__(self):
        self.options = {"patience": 45, **self.options}


def all_cases(quick):
    """Of the quick form, a tenth of the events and no large numbers of clients."""
    count = 100 if quick else 1_000
    clients = 200 if quick else 1_000
    main = [
        Case("burst", {"clients": clients, "count": count}, FAST),
        Case("steady", {"clients": clients, "count": count, "rate": 200}, FAST),
        Case("gentle", {"clients": 100, "count": 200, "rate": 50}),
        Case("round trip", {"clients": 1, "count": count, "round_trip": True}, [*ALL, TrestleInMemory]),
        # Beside it, because waking a core that sleeps is most of it: on a virtual machine 30 us, five times.
        Case("round trip, awake", {"clients": 1, "count": count, "round_trip": True},
             [Floor, Trestle, TrestleInMemory, Nats], awake=True),
        Case("idle", {"clients": clients, "idle": True}, MANY, once=True),
        Case("distinct", {"clients": clients, "topics": clients, "count": clients * 50},
             [Floor, Trestle, TrestleInMemory, Nats]),
        # Beside it, because it is mostly the price of waking up for one event at a time, which the floor does not pay.
        Case("distinct, paced", {"clients": clients, "topics": clients, "count": clients * 10, "rate": clients * 5},
             [Floor, Trestle, TrestleInMemory, Nats]),
    ]
    if quick:
        return main
    return main + by_clients() + by_subscriptions() + tls() + pressure()


def by_clients():
    cases = []
    for clients in CLIENTS:
        cases.append(Case(f"clients {clients} burst", {"clients": clients, "count": 200},
                          [Floor, Trestle, Nats], once=clients > 1_000))
        rate = max(PACED // clients, 1)
        cases.append(Case(f"clients {clients} paced", {"clients": clients, "count": rate * 4, "rate": rate},
                          OURS))
    return cases


def by_subscriptions():
    """Every client gets 200 events, of one of so many topics."""
    return [Case(f"subscriptions {topics}", {"clients": 1_000, "topics": topics, "count": 200 * topics},
                 [Floor, Trestle, Nats]) for topics in SUBSCRIPTIONS]


def tls():
    return [
        Case("burst, TLS", {"clients": 1_000, "count": 1_000}, [TrestleTls]),
        Case("steady, TLS", {"clients": 1_000, "count": 1_000, "rate": 200}, [TrestleTls], once=True),
    ]


def pressure():
    # 400 events of 16 KB: more for each client than its outbox of 4 MiB holds.
    much = {"clients": 1_000, "size": 16_000, "count": 400, "rate": 25}
    # Once an outbox is half full, every event is joined for each client that stopped.
    texts = {"clients": 100, "size": 1_000, "count": 10_000, "rate": 1_000}
    return [
        Case("texts, none stopped", texts, [TrestleMerging], once=True),
        Case("texts, 50 stopped", {**texts, "stopped": 50}, [TrestleMerging], once=True),
        Case("none stopped", much, [Trestle], once=True),
        Case("100 stopped", {**much, "stopped": 100}, [Trestle], once=True),
        Case("large", {"clients": 1_000, "size": 512_000, "count": 5, "rate": 1}, [Trestle], once=True),
    ]
