"""What the executables were built with, read from the files themselves: cmake/Hardening.cmake says why."""
import os
import pathlib
import platform
import re
import subprocess

import pytest

from harness.bridge import BINARY

FOLDER = pathlib.Path(os.environ.get("TRESTLE_BIN", BINARY.parent))
OURS = sorted(path for path in FOLDER.glob("*") if path.name.startswith("trestle") and os.access(path, os.X_OK))


def readelf(what, path):
    return subprocess.run(["readelf", "--wide", what, str(path)], check=True, capture_output=True, text=True).stdout


def is_sanitized(path):
    return re.search(r"__(asan|tsan|ubsan)_", readelf("--dyn-syms", path)) is not None


def test_there_is_something_to_look_at():
    assert {"trestled", "trestle"} <= {path.name for path in OURS}, FOLDER


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
class TestExecutable:
    def test_is_loaded_at_an_address_that_changes(self, path):
        assert re.search(r"Type:\s+DYN", readelf("--file-header", path))
        assert re.search(r"FLAGS_1\).*\bPIE\b", readelf("--dynamic", path))

    def test_writes_none_of_its_call_tables(self, path):
        assert "GNU_RELRO" in readelf("--program-headers", path)
        assert re.search(r"FLAGS_1\).*\bNOW\b", readelf("--dynamic", path))

    def test_runs_nothing_that_it_can_write(self, path):
        segments = re.findall(r"^\s+(LOAD|GNU_STACK)\s.*?\s([R ][W ][E ])\s+0x", readelf("--program-headers", path), re.M)
        assert {"LOAD", "GNU_STACK"} == {kind for kind, _ in segments}
        assert not [flags for _, flags in segments if "W" in flags and "E" in flags], segments

    def test_looks_for_no_library_beside_itself(self, path):
        assert not re.search(r"\((RPATH|RUNPATH)\)", readelf("--dynamic", path))

    def test_guards_its_return_addresses(self, path):
        assert "__stack_chk_fail" in readelf("--dyn-syms", path)

    def test_jumps_only_where_it_may(self, path):
        if platform.machine() != "x86_64":
            pytest.skip("only x86-64 has it")
        # The file's own mark is no measure: it is set only if libc's start files were built for it too, and Debian's are not.
        assert path.read_bytes().count(b"\xf3\x0f\x1e\xfa") > 20, "no endbr64"


def test_copies_check_their_sizes():
    """Of the bridge alone: the compiler leaves the check out where it can see that all is well."""
    path = FOLDER / "trestled"
    if is_sanitized(path):
        pytest.skip("a sanitizer checks more, in the place of it")
    assert re.search(r"__\w+_chk@", readelf("--dyn-syms", path).replace("__stack_chk_fail", ""))
