"""Files of tokens, keys and producers that somebody goes on changing: what one of them takes away ends all the same."""
import contextlib
import os
import subprocess
import threading
import time

import pytest

from harness.bridge import BINARY
from harness.curve import CurvePublisher, KeyList, Keys
from harness.issuer import Issuer, jwks
from harness.tokens import tokens
from harness.wait import PATIENCE, TIMEOUT, eventually

EVERY = 0.05  # a change between any two looks of the bridge


@contextlib.contextmanager
def again_and_again(change):
    """Calls `change` with 1, 2, 3 … until it is over; what went wrong in it goes wrong here."""
    over, failed = threading.Event(), []

    def go():
        number = 0
        try:
            while not over.wait(EVERY):
                number += 1
                change(number)
        except Exception as error:                                      # told by the test's own thread
            failed.append(error)
    thread = threading.Thread(target=go)
    thread.start()
    try:
        time.sleep(0.5)                                                 # well into it
        yield
        assert not failed and thread.is_alive()
    finally:
        over.set()
        thread.join(TIMEOUT)


def replace(path, text):
    beside = path.with_suffix(".beside")
    beside.write_text(text)
    beside.chmod(0o600)
    os.replace(beside, path)


def in_place(path, text):
    path.write_text(text)


def revoke(bridge, *what):
    command = [BINARY.parent / "trestle", "token", "revoke", *what, "--revoked-file", bridge.folder / "revoked.yaml"]
    subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT)


def ends_within_a_second(client):
    begun = time.monotonic()
    assert client.closed().code == 4401
    assert time.monotonic() - begun < PATIENCE, "a second is the promise"


@pytest.fixture
def issuer():
    return Issuer("ES256")


@pytest.fixture
def bridge(trestled, issuer):
    text, (kept, removed) = tokens({"name": "kept", "scopes": ["read"]}, {"name": "removed", "scopes": ["read"]})
    made = trestled({"auth": {"revoked_file": "revoked.yaml", "jwt": {"jwks_file": "keys.json"}}},
                    files={"revoked.yaml": "", "keys.json": jwks(issuer), "tokens.yaml": text})
    made.tokens_text, made.kept, made.removed = text, kept, removed
    return made


# --- tokens ---------------------------------------------------------------------------------------------------------------

def test_the_first_of_many_that_are_revoked_does_not_wait_for_the_last(bridge, issuer, connect):
    client, stays = connect(bridge, token=issuer.token(jti="0")), connect(bridge, token=issuer.token(jti="stays"))
    assert client.request("ping")["success"] and stays.request("ping")["success"]
    with again_and_again(lambda number: revoke(bridge, "--jti", f"other-{number}")):
        revoke(bridge, "--jti", "0")
        ends_within_a_second(client)
        assert bridge.http("/api/status", token=issuer.token(jti="0"))[0] == 401
    assert stays.request("ping")["success"] and "trouble" not in bridge.status()["auth"]
    told = (bridge.folder / "revoked.yaml").read_text().count('"') // 2
    bridge.wait_status(lambda status: status["auth"]["revoked"] == told, "all of them, in the end")


@pytest.mark.parametrize("write", [replace, in_place])
def test_keys_that_keep_changing_do_not_put_off_a_revocation(bridge, issuer, connect, write):
    client, stays = connect(bridge, token=issuer.token(jti="7")), connect(bridge, token=issuer.token(jti="8"))
    assert client.request("ping")["success"] and stays.request("ping")["success"]
    others = [Issuer("ES256", f"other-{number}") for number in range(3)]
    with again_and_again(lambda number: write(bridge.folder / "keys.json", jwks(issuer, *others[:number % 4]))):
        revoke(bridge, "--jti", "7")
        ends_within_a_second(client)
        assert stays.request("ping")["success"]
        lines = eventually(lambda: bridge.logs("files keep changing, and are read all the same: write another and rename it "
                                               "over the old one"), "a warning")
        assert lines[0]["files_of"] == "keys of JWTs"
    assert stays.request("ping")["success"] and "trouble" not in bridge.status()["auth"]


def test_a_key_that_is_taken_out_of_a_file_that_keeps_changing(bridge, issuer, connect):
    client = connect(bridge, token=issuer.token())
    assert client.request("ping")["success"]
    others = [Issuer("ES256", f"other-{number}") for number in range(3)]
    listed = [issuer]
    with again_and_again(lambda number: replace(bridge.folder / "keys.json", jwks(*listed, *others[:number % 3 + 1]))):
        assert client.request("ping")["success"]
        listed.clear()
        ends_within_a_second(client)


def test_a_token_that_is_taken_out_of_a_file_that_keeps_changing(bridge, connect):
    client, stays = connect(bridge, token=bridge.removed), connect(bridge, token=bridge.kept)
    assert client.request("ping")["success"] and stays.request("ping")["success"]
    records = bridge.tokens_text.split("- created")
    texts = [bridge.tokens_text]
    with again_and_again(lambda number: replace(bridge.folder / "tokens.yaml", texts[-1] + "#" * (number % 7) + "\n")):
        assert client.request("ping")["success"]
        texts.append("- created".join(record for record in records if "removed" not in record))
        ends_within_a_second(client)
        assert stays.request("ping")["success"]
    assert stays.request("ping")["success"]


# --- producers ------------------------------------------------------------------------------------------------------------

def test_a_removed_key_stops_although_the_list_keeps_changing(trestled, tmp_path, closing):
    own, worker, other = (Keys(tmp_path, name) for name in ("bridge", "worker", "other"))
    listed = KeyList(tmp_path / "producers.yaml", worker, other)
    bridge = trestled({"ingest": {"curve": {"secret_key_file": str(own.file), "producers_file": str(listed.path)}}})
    publisher = closing(CurvePublisher(bridge.events_addr, worker, own.public))
    entries, spare = [[worker, other]], [Keys(tmp_path, f"spare-{number}") for number in range(3)]

    def change(number):
        listed.allow(*entries[-1], *spare[:number % 4])
    with again_and_again(change):
        publisher.event({"type": "before"})
        assert bridge.rejections()["unlisted_key"] == 0
        entries.append([other])
        begun = time.monotonic()
        while bridge.rejections()["unlisted_key"] == 0:
            publisher.event({"type": "after"})
            assert time.monotonic() - begun < PATIENCE, "its events are still taken"
            time.sleep(0.02)
    assert "trouble" not in bridge.status()["curve"]
