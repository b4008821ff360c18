#!/usr/bin/python3
"""Counts test results: tally.py KIND FILE…  with KIND junit, ctest or tap.

Prints `passed failed skipped` on the first line and one line for each skipped test with its reason. A file that is missing
or broken, or that holds no test at all, counts as one failure: a runner that died before it could count has not passed.
"""
import re
import sys
import xml.etree.ElementTree as xml

# doctest's own summary, in the output that ctest keeps of each program
DOCTEST = re.compile(r"test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed\s*\|\s*(\d+) skipped")


def count_junit(path):
    passed = failed = 0
    skipped = []
    for case in xml.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped.append(f"{name}: {case.find('skipped').get('message') or 'no reason given'}")
        else:
            passed += 1
    return passed, failed, skipped


def count_ctest(path):
    """One entry is one program; doctest programs say how many cases they hold."""
    passed = failed = 0
    skipped = []
    for case in xml.parse(path).getroot().iter("testcase"):
        bad = case.get("status") == "fail" or case.find("failure") is not None
        output = case.findtext("system-out") or ""
        found = DOCTEST.search(re.sub(r"\x1b\[[0-9;]*m", "", output))
        if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped.append(f"{case.get('name')}: {case.get('status')}")
        elif found:
            passed += int(found[1])
            failed += max(int(found[2]), int(bad))
        else:
            passed, failed = passed + (not bad), failed + bad
    return passed, failed, skipped


def count_tap(path):
    passed = failed = 0
    skipped = []
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if found := re.match(r"# (pass|fail|cancelled) (\d+)\s*$", line):
                if found[1] == "pass":
                    passed += int(found[2])
                else:
                    failed += int(found[2])
            elif found := re.match(r"\s*ok \d+ - (.*?) # SKIP ?(.*)", line):
                skipped.append(f"{found[1]}: {found[2].strip() or 'no reason given'}")
    return passed, failed, skipped


def main(kind, *paths):
    passed, failed, skipped = 0, 0, []
    for path in paths:
        try:
            one = {"junit": count_junit, "ctest": count_ctest, "tap": count_tap}[kind](path)
            if one[0] + one[1] + len(one[2]) == 0:
                one = (0, 1, [])
        except (OSError, xml.ParseError):
            one = (0, 1, [])
        passed, failed, skipped = passed + one[0], failed + one[1], skipped + one[2]
    print(passed, failed, len(skipped))
    for line in skipped:
        print(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
