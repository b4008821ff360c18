"""What trestled reads again and is not what belongs there: it is told, holds nothing up, and is not taken in part."""
import os

import pytest

from harness.curve import KeyList, Keys
from harness.issuer import Issuer, jwks
from harness.tls import Authority
from harness.tokens import tokens
from harness.wait import free_port

SECTIONS = {"tokens.yaml": "auth", "revoked.yaml": "auth", "key": "auth", "keys.json": "auth", "front.pem": "tls", "front.key": "tls",
            "root.pem": "tls", "producers.yaml": "curve"}


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    return {"root.pem": authority.root, **dict(zip(("front.pem", "front.key"), authority.issue("front")))}


@pytest.fixture
def watching(make_bridge, issued, tmp_path):
    """A bridge that watches a file of every kind, each a link as container platforms mount it: …/name -> ..data/name."""
    folder = tmp_path / "mounted"
    data = folder / "..one"
    data.mkdir(parents=True)
    (folder / "..data").symlink_to("..one")
    for name, source in issued.items():
        (data / name).write_bytes(source.read_bytes())
    (data / "tokens.yaml").write_text(tokens()[0])
    (data / "revoked.yaml").write_text("jti: [old]\n")
    Issuer(kid="k").write_to(data / "key")
    (data / "keys.json").write_text(jwks(Issuer("ES256", kid="other")))
    KeyList(data / "producers.yaml")
    for file in data.iterdir():
        file.chmod(0o600)
        (folder / file.name).symlink_to(f"..data/{file.name}")
    at = {name: str(folder / name) for name in SECTIONS}
    curve = {"secret_key_file": str(Keys(tmp_path, "bridge").file), "producers_file": at["producers.yaml"]}
    jwt = {"keys": [{"kid": "k", "algorithm": "HS256", "file": at["key"]}], "jwks_file": at["keys.json"]}
    bridge = make_bridge({
        "listen": [{"address": "127.0.0.1", "port": 0}, {"address": "127.0.0.1", "port": free_port(), "tls": True}],
        "tls": {"certificate": at["front.pem"], "key": at["front.key"], "client_ca": at["root.pem"]},
        "auth": {"tokens_file": at["tokens.yaml"], "revoked_file": at["revoked.yaml"], "jwt": jwt},
        "ingest": {"curve": curve}})
    bridge.mounted = folder
    return bridge.start()


def link(file, target):
    beside = file.with_name("beside")
    beside.symlink_to(target)
    beside.rename(file)


def await_troubles(bridge, wanted):
    """Waits until these, and no others, are what the sections of the status name: {section: part of the text}."""
    def told(status):
        found = {name: status[name]["trouble"] for name in ("auth", "tls", "curve") if "trouble" in status[name]}
        return found.keys() == wanted.keys() and all(text in found[name] for name, text in wanted.items())
    bridge.wait_status(told, f"troubles: {wanted}")


@pytest.mark.parametrize("name", SECTIONS)
def test_a_pipe_or_a_device_in_the_place_of_a_file_holds_nothing_up(watching, name):
    file, section = watching.mounted / name, SECTIONS[name]
    await_troubles(watching, {})
    os.mkfifo(watching.mounted / "pipe", 0o600)
    for odd, kind in (("pipe", "a pipe"), ("/dev/zero", "a device"), (watching.folder, "a folder")):
        link(file, odd)
        await_troubles(watching, {section: f"{file}: not a regular file, but {kind}"})
    link(file, f"..data/{name}")
    await_troubles(watching, {})


@pytest.mark.parametrize("name", ["tokens.yaml", "revoked.yaml", "producers.yaml"])
def test_a_second_document_is_not_left_out_untold(watching, name):
    """Or a revocation that is in it would not count, and nobody would know."""
    file = watching.mounted / name
    good = file.read_text()
    file.write_text(f"{good}---\n{good}")
    line = good.count("\n") + 1
    await_troubles(watching, {SECTIONS[name]: f"{file}:{line}:1: a second document starts here: one file, one document"})
    file.write_text(good)
    await_troubles(watching, {})
