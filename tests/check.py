#!/usr/bin/env python3
"""tests/check.py [PART...] - run every test, count them, and say how to repeat what failed.

Parts: lint unit sim model fuzz snmp cli lab (all of them without an argument).  Quick ones run
first.  The last line is "N passed, N failed".  What the parts print is in build/check/*.log; of a
part that failed the end is shown.
"""

import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as tree

TOP = pathlib.Path(__file__).resolve().parent.parent
LOGS = TOP / "build" / "check"
PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
TAIL_LINES = 60
STEP_LIMIT_S = 1800


class Step:
    """A command, how its tests are counted, and how a person repeats it."""

    def __init__(self, name, command, count, repeat=None, env=None):
        self.name, self.command, self.count = name, [str(word) for word in command], count
        self.repeat = repeat or " ".join(self.command)
        self.env = env or {}

    def run(self):
        log = LOGS / (re.sub(r"[^a-z0-9]+", "-", self.name.lower()) + ".log")
        began = time.monotonic()
        with log.open("wb") as out:
            try:
                code = subprocess.run(self.command, cwd=TOP, stdout=out, stderr=subprocess.STDOUT,
                                      stdin=subprocess.DEVNULL, timeout=STEP_LIMIT_S,
                                      env=os.environ | self.env).returncode
            except subprocess.TimeoutExpired:
                code = -1
        text = log.read_text(errors="replace")
        passed, failed = self.count(self, text)
        if code != 0 and failed == 0:
            passed, failed = max(passed - 1, 0), 1
        if code == 0 and passed + failed == 0:
            failed = 1  # a step that tests nothing is not a success
        took = time.monotonic() - began
        print(f"{'ok  ' if failed == 0 else 'FAIL'} {self.name}: {passed} passed, {failed} failed "
              f"({took:.1f} s)", flush=True)
        if failed:
            print("\n".join(text.splitlines()[-TAIL_LINES:]))
            print(f"     repeat with: {self.repeat}", flush=True)
        return passed, failed


def one(step, text):
    """A script that passes or fails as a whole; its exit code decides."""
    return 1, 0


def cmocka(step, text):
    run = len(re.findall(r"^\[ RUN      \]", text, re.M))
    passed = len(re.findall(r"^\[       OK \]", text, re.M))
    return passed, run - passed


def plain(step, text):
    found = re.findall(r"(\d+) passed, (\d+) failed", text)
    return (int(found[-1][0]), int(found[-1][1])) if found else (0, 0)


def junit(path):
    def count(step, text):
        if not path.exists():
            return 0, 0
        suite = tree.parse(path).getroot().find("testsuite")
        wrong = int(suite.get("failures")) + int(suite.get("errors")) + int(suite.get("skipped"))
        return int(suite.get("tests")) - wrong, wrong
    return count


def pytest(name, folder):
    report = LOGS / f"{name}.xml"
    report.unlink(missing_ok=True)
    return Step(name, [*PYTEST, f"--junitxml={report}", folder], junit(report),
                repeat=f"{' '.join(PYTEST)} {folder}")


def lint():
    steps = [Step("lint layers", ["python3", "tests/lint/layers.py"], one),
             Step("lint style", ["python3", "tests/lint/style.py"], one),
             Step("lint headers", ["sh", "tests/lint/headers.sh"], one),
             Step("lint purity", ["sh", "tests/lint/purity.sh", "build"], one),
             Step("lint clang", ["sh", "tests/lint/clang.sh"], one),
             Step("lint manuals", ["sh", "tests/lint/manuals.sh"], one),
             Step("lint mutants", ["sh", "tests/lint/mutants.sh"], one),
             Step("lint mib", ["python3", "tests/lint/mib.py", "build/YOKE-MIB.txt"], one),
             Step("lint shell", ["sh", "tests/lint/shell.sh"], one)]
    return steps


def unit():
    steps = []
    for source in sorted((TOP / "tests" / "unit").glob("*.c")):
        for build in ("build", "build/san"):
            steps.append(Step(f"unit {source.stem}{' (sanitized)' if 'san' in build else ''}",
                              [f"{build}/tests/unit/{source.stem}"], cmocka))
    return steps


def sim():
    # With an abort the simulator can say which history it was.
    aborts = {"ASAN_OPTIONS": "abort_on_error=1", "UBSAN_OPTIONS": "abort_on_error=1"}
    return [Step("sim", ["build/tests/sim/sim", "1", "1000"], plain, repeat="make sim RUNS=1000"),
            Step("sim (sanitized)", ["build/san/tests/sim/sim", "1001", "40"], plain, env=aborts),
            Step("ways", ["build/tests/sim/sim", "--ways"], plain),
            Step("scenarios", ["build/tests/sim/sim", "--scenarios", "tests/scenarios"], plain,
                 repeat="make scenarios")]


def model():
    return [Step("model", ["sh", "tests/model/check.sh"], plain, repeat="make check-model")]


def fuzz():
    steps = []
    for source in sorted((TOP / "tests" / "fuzz").glob("*.c")):
        command = [f"build/fuzz/{source.stem}", "-max_total_time=5", "-seed=1"]
        seeds = sorted((TOP / "tests" / "fuzz" / source.stem).glob("*"))
        if seeds:
            command.append("-seed_inputs=" + ",".join(str(file.relative_to(TOP)) for file in seeds))
        steps.append(Step(f"fuzz {source.stem}", command, one))
    return steps


def snmp():
    return [Step("snmp walk", ["build/tests/snmp/walk"], cmocka), pytest("snmp", "tests/snmp")]


def cli():
    return [pytest("cli", "tests/cli")]


def lab():
    return [pytest("lab", "tests/lab")]


PARTS = {part.__name__: part for part in (lint, unit, sim, model, fuzz, snmp, cli, lab)}


def main():
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        sys.exit(f"check: no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    LOGS.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    passed = failed = 0
    for name in wanted:
        for step in PARTS[name]():
            more_passed, more_failed = step.run()
            passed += more_passed
            failed += more_failed
    print(f"check took {time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
