"""What trestled does with a journal that was put back, is missing, is not its own, or lies on a disk that is full or fails;
and that its files stay bounded."""
import contextlib
import hashlib
import json
import os
import pathlib
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import time
import urllib.request

import pytest

from harness.bridge import TOKEN
from harness.journal import DATABASE, FILES, HEAD, WAL, Judge, Original, Reader, Run, Worker
from harness.wait import TIMEOUT, eventually

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
SMALL_DISK = "size=16m"


@pytest.fixture(scope="module")
def scratch():
    """A folder with a short name, for the ipc sockets in it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="trestle-files-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def worker(scratch):
    made = Worker(scratch)
    yield made
    made.close()


@pytest.fixture(scope="module")
def original(scratch, worker):
    return Original(scratch / "original", worker)


@pytest.fixture
def folder(scratch):
    made = scratch / "bridge"
    made.mkdir()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def journal(original, folder):
    """A copy of the undamaged journal."""
    folder.rmdir()
    return original.copy(folder)


def fingerprints(folder):
    """Content and time of change of every file of the journal."""
    return {name: (hashlib.sha256((folder / name).read_bytes()).hexdigest(), (folder / name).stat().st_mtime_ns)
            for name in FILES if (folder / name).is_file()}


def refused(folder, worker, *mentions, **options):
    """Starts trestled, which refuses in one line; returns it."""
    run = Run(folder, worker, **options)
    assert not run.ready, run.output()
    assert run.finish() == 2, run.output()
    line = run.lines[-1]
    assert line.startswith("trestled: ") and all(str(text) in line for text in mentions), run.output()
    return line


def publish(worker, reader, **members):
    """A plain event, waited for; its offset."""
    payload = json.dumps({"type": "note", **members}, separators=(",", ":"))
    worker.socket.send(payload.encode())
    return reader.wait_for(payload)


# ---- older copies and missing files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("older", [(DATABASE,), (WAL,), (HEAD,), (DATABASE, WAL), (DATABASE, HEAD), FILES], ids="+".join)
def test_files_put_back_from_an_older_copy_start_a_new_epoch(original, journal, worker, older):
    for name in older:
        shutil.copy2(original.older / name, journal / name)
    judge = Judge(original)
    judge.judge(journal, worker)
    assert judge.outcomes["whole"] == 0, "offsets of the same epoch would be given out again"


def test_a_database_put_back_without_its_write_ahead_log(original, journal, worker):
    shutil.copy2(original.older / DATABASE, journal / DATABASE)
    (journal / WAL).unlink()
    judge = Judge(original)
    judge.judge(journal, worker)
    assert judge.outcomes["whole"] == 0


def test_all_files_put_back_after_an_orderly_stop(worker, folder):
    """Nothing is wrong with any of them, but what came after the copy was taken is not in it."""
    first = Run(folder, worker)
    worker.wait_subscribed()
    reader = Reader(first.port, "0")
    publish(worker, reader, n=1)
    reader.close()
    assert first.stop() == 0
    copies = {path: path.read_bytes() for path in folder.glob("trestle.db*")}
    second = Run(folder, worker)
    worker.wait_subscribed()
    reader = Reader(second.port, "0")
    given = publish(worker, reader, n=2)
    epoch = reader.epoch
    assert epoch == second.ready["epoch"] == first.ready["epoch"]
    reader.close()
    assert second.stop() == 0
    time.sleep(0.1)                                                 # a copy of the last 50 ms passes for the original
    for path in folder.glob("trestle.db*"):
        path.unlink()
    for path, content in copies.items():
        path.write_bytes(content)
    third = Run(folder, worker)
    worker.wait_subscribed()
    assert third.ready["epoch"] != epoch, third.output()
    assert "put back" in third.logs("new epoch: the journal may miss events that clients have seen")[0]["why"]
    reader = Reader(third.port, f"{epoch}:{given}")
    assert reader.gaps == ["epoch"]
    assert [json.loads(event[2])["n"] for event in reader.events.values()] == [1]
    reader.close()
    assert third.stop() == 0


@pytest.mark.parametrize("missing", [(DATABASE,), (WAL,), (HEAD,), (DATABASE, WAL), (DATABASE, HEAD), (WAL, HEAD)],
                         ids="+".join)
def test_missing_files_start_a_new_epoch(original, journal, worker, missing):
    for name in missing:
        (journal / name).unlink()
    judge = Judge(original)
    judge.judge(journal, worker)
    assert judge.outcomes["whole"] == 0


@pytest.mark.parametrize("empty", FILES)
def test_empty_files_start_a_new_epoch(original, journal, worker, empty):
    os.truncate(journal / empty, 0)
    judge = Judge(original)
    judge.judge(journal, worker)
    assert judge.outcomes["whole"] == 0


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_directory_in_the_place_of_a_file_is_refused(original, journal, worker, name):
    (journal / name).unlink()
    (journal / name).mkdir()
    refused(journal, worker, journal / (HEAD if name == HEAD else DATABASE))


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_may_not_be_read_is_refused(original, journal, worker, name):
    (journal / name).chmod(0)
    before = {other: (journal / other).stat().st_mtime_ns for other in FILES}
    prefix = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    refused(journal, worker, journal / (HEAD if name == HEAD else DATABASE), prefix=prefix)
    assert before == {other: (journal / other).stat().st_mtime_ns for other in FILES}


@pytest.mark.parametrize("version", [0, 1, 7])
def test_the_database_of_another_program_is_refused_and_untouched(folder, worker, version):
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as database, database:
        database.execute("CREATE TABLE bookmarks(url TEXT)")
        database.execute("INSERT INTO bookmarks VALUES('https://example.org')")
        database.execute(f"PRAGMA user_version={version}")
    before = fingerprints(folder)
    refused(folder, worker, folder / DATABASE, "another program", "stream.path")
    assert fingerprints(folder) == before


def test_a_file_that_is_no_database_is_set_aside_whole(folder, worker):
    text = b"Somebody's notes, which took a long time to write.\n" * 200
    (folder / DATABASE).write_bytes(text)
    run = Run(folder, worker)
    worker.wait_subscribed()
    told = run.logs("the journal is set aside, a new one starts in a new epoch")
    assert pathlib.Path(folder / told[0]["aside"]).read_bytes() == text
    assert run.stop() == 0


@pytest.mark.parametrize("where", ["in the database", "in the write-ahead log"])
def test_a_newer_journal_is_refused_and_untouched(journal, worker, where):
    with contextlib.closing(sqlite3.connect(journal / DATABASE)) as database:
        database.execute("PRAGMA wal_autocheckpoint=0")
        database.execute("PRAGMA user_version=99")
        if where == "in the database":
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # As they are now, while it is open: closing it would tidy the log away.
        files = {name: (journal / name).read_bytes() for name in FILES if (journal / name).exists()}
    for name, content in files.items():
        (journal / name).write_bytes(content)
    before = fingerprints(journal)
    refused(journal, worker, journal / DATABASE, "version 99", "knows 4", "newer trestled")
    assert fingerprints(journal) == before


def test_two_bridges_on_one_journal(journal, worker, scratch):
    first = Run(journal, worker)
    worker.wait_subscribed()
    second = scratch / "second"
    second.mkdir()
    refused(second, worker, journal / DATABASE, "in use", "stream.path",
            config={"stream": {"path": str(journal / DATABASE)}})
    shutil.rmtree(second)
    reader = Reader(first.port, "0")
    publish(worker, reader, after="the second was refused")
    reader.close()
    assert first.stop() == 0


# ---- bounded ---------------------------------------------------------------------------------------------------------


def test_the_files_stay_bounded(folder, worker):
    """Published: 60 times what is retained, and as much again."""
    retained, size, rounds = 100, 2_000, 60
    run = Run(folder, worker, config={"topics": [{"match": "note", "keep": "log", "retain": {"count": retained}},
                                                 {"match": "state.*", "keep": "latest", "key": "/id"}]})
    worker.wait_subscribed()
    reader = Reader(run.port, "0")
    sizes = []
    for _ in range(2):
        for number in range(rounds):
            for n in range(retained):
                worker.socket.send(json.dumps({"type": "state", "id": f"s{n}", "pad": "x" * 200}).encode())
                worker.socket.send(json.dumps({"type": "note", "n": n, "pad": "x" * size}).encode())
            publish(worker, reader, round=number)
        sizes.append({name: (folder / name).stat().st_size for name in FILES})
    reader.close()
    assert run.stop() == 0
    kept = retained * (size + 200)
    for found in sizes:
        assert found[DATABASE] < 6 * kept, sizes
        assert found[WAL] < 6_000_000, sizes                        # SQLite moves it into the database every 1,000 pages
        assert found[HEAD] == 256
    assert sizes[1][DATABASE] <= 1.2 * sizes[0][DATABASE], sizes
    published = 2 * rounds * retained * size
    print(f"published {published} bytes of log events, retained {retained * size}; files {sizes[1]}")


# ---- disks -----------------------------------------------------------------------------------------------------------


def state_of(run):
    request = urllib.request.Request(f"http://127.0.0.1:{run.port}/api/status",
                                     headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return json.load(answer)["data"]["state"]


def wait_state(run, wanted):
    eventually(lambda: state_of(run) == wanted, f"the state {wanted}")


@contextlib.contextmanager
def small_disk(folder):
    subprocess.run(["mount", "-t", "tmpfs", "-o", SMALL_DISK, "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder):
    with contextlib.suppress(OSError), open(folder / "filler", "wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


@NEEDS_ROOT
@pytest.mark.parametrize("past", ["with a journal", "without a journal"])
def test_a_disk_that_is_full_at_the_start(original, scratch, worker, past):
    """It serves what could be read, in a new epoch, degraded; and goes on with a new journal when there is room."""
    folder = scratch / "bridge"
    folder.mkdir()
    disk = folder / "disk"
    if past == "with a journal":
        original.copy(disk)
    else:
        disk.mkdir()
    files = {path.name: path.read_bytes() for path in disk.iterdir()}
    with small_disk(disk):
        for name, content in files.items():
            (disk / name).write_bytes(content)
        fill(disk)
        run = Run(folder, worker, config={"stream": {"path": f"disk/{DATABASE}"}})
        assert run.ready, run.output()
        worker.wait_subscribed()
        assert run.logs("degraded: nothing is kept, delivery goes on in memory"), run.output()
        wait_state(run, "degraded")
        reader = Reader(run.port, f"{original.epoch}:{original.last_seen}")
        assert reader.gaps == ["epoch"]
        assert all(original.knows(offset, event) for offset, event in reader.events.items())
        assert bool(reader.events) == (past == "with a journal")
        given = publish(worker, reader, disk="full")
        assert past == "without a journal" or given > original.last_seen
        degraded = reader.epoch

        (disk / "filler").unlink()
        wait_state(run, "ok")
        offset = publish(worker, reader, disk="back")
        assert offset > given and reader.epoch != degraded
        reader.close()
        assert run.kill9() == -9
        again = Run(folder, worker, config={"stream": {"path": f"disk/{DATABASE}"}})
        worker.wait_subscribed()
        late = Reader(again.port, f"{reader.epoch}:{given}")
        assert late.gaps == [] and late.order == [offset]
        late.close()
        assert again.stop() == 0
    shutil.rmtree(folder)


def test_a_file_that_cannot_grow_degrades_and_heals(original, journal, worker):
    """An I/O error that is not a full disk: EFBIG, from a limit on the size of files."""
    run = Run(journal, worker)
    worker.wait_subscribed()
    reader = Reader(run.port, "0")
    epoch = reader.epoch
    assert epoch == original.epoch
    before = publish(worker, reader, disk="fine")
    limit = (journal / WAL).stat().st_size
    unlimited = resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (limit, unlimited[1]))
    offsets = [publish(worker, reader, n=n, pad="x" * 10_000) for n in range(20)]
    assert offsets == sorted(offsets) and offsets[0] > before
    assert reader.gaps == ["epoch"]
    wait_state(run, "degraded")
    offsets.append(publish(worker, reader, n=20))   # behind what the bridge itself says of its health
    resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, unlimited)
    wait_state(run, "ok")
    after = publish(worker, reader, disk="fine again")
    assert after > offsets[-1] and reader.gaps == ["epoch", "epoch"]
    reader.close()
    assert run.stop() == 0
    aside = list(journal.glob(f"{DATABASE}.aside-*"))
    assert [path.suffix for path in aside if not path.name.endswith("-wal")] != []
    again = Run(journal, worker)
    worker.wait_subscribed()
    late = Reader(again.port, f"{reader.epoch}:{offsets[-1]}")
    assert late.gaps == [] and late.order == [after]
    late.close()
    assert again.stop() == 0
