"""Every fuzz target has its source, its seeds and its line in the list, and tests/run finds the seeds."""
import re
import subprocess

import pytest

from harness.bridge import REPOSITORY

FUZZ = REPOSITORY / "tests/fuzz"
MOST_BYTES = 200_000
NAMES = sorted(re.findall(r"^trestle_fuzz\((\w+)", (FUZZ / "CMakeLists.txt").read_text(), re.MULTILINE))


def test_the_targets_are_the_sources_the_seeds_and_the_list():
    assert NAMES == sorted(path.stem[len("fuzz_"):] for path in FUZZ.glob("fuzz_*.cpp"))
    assert NAMES == sorted(path.name for path in (FUZZ / "corpus").iterdir())
    assert NAMES == sorted(re.findall(r"\| `(\w+)` \|$", (FUZZ / "README.md").read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", NAMES)
def test_seeds_are_few_and_small(name):
    sizes = [path.stat().st_size for path in (FUZZ / "corpus" / name).iterdir()]
    assert sizes and sum(sizes) < MOST_BYTES


def test_tests_run_starts_from_the_seeds(tmp_path):
    """Its function, with a target that only says what it was given."""
    target = tmp_path / "fuzz_cursor"
    target.write_text(f'#!/bin/sh\nfor last; do :; done\nls "$last" >{tmp_path}/seeds\n')
    target.chmod(0o755)
    function = re.search(r"^check_fuzz\(\) \{.*?^\}", (REPOSITORY / "tests/run").read_text(), re.MULTILINE | re.DOTALL).group()
    subprocess.run(["bash", "-c", f"WORK={tmp_path}; {function}; check_fuzz {target}"], cwd=REPOSITORY, check=True)
    assert (tmp_path / "seeds").read_text().split() == sorted(path.name for path in (FUZZ / "corpus/cursor").iterdir())
