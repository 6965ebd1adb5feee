#!/usr/bin/python3
"""Seeded bugs: each patch in tests/sim/mutants/ is applied to a copy of the sources, and the
simulator must find it.  One that survives is a fault that the simulator does not know.  Those named
ways_* are of the paths: all combinations of them are tried, instead of histories.

usage: mutants.py BUILD [NAME...]          MUTANT_RUNS=3000: histories until one has survived
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
HERE = TOP / "tests/sim/mutants"
RUNS = int(os.environ.get("MUTANT_RUNS", "3000"))
CHUNK = 50


def patch(tree, file, *options):
    done = subprocess.run(["patch", "-p1", "-s", *options, "-i", file], cwd=tree, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{file.name} does not apply: {done.stdout}")


def build(tree):
    done = subprocess.run(["make", "-s", "-j2", "build/tests/sim/sim"], cwd=tree, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"does not build:\n{done.stdout[-2000:]}")


def complaint(tree, *arguments):
    """The first one of the simulator; None: it has none."""
    done = subprocess.run([tree / "build/tests/sim/sim", *arguments], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    return lines[0] if lines else f"exit {done.returncode}" if done.returncode else None


def hunt(tree, name):
    """Where it was found, and the complaint; None: it survived."""
    if name.startswith("ways_"):
        found = complaint(tree, "--ways")
        return ("all ways", found) if found else None
    for first in range(1, RUNS, CHUNK):
        if found := complaint(tree, str(first), str(CHUNK)):
            return f"{first + CHUNK - 1}", found
    return None


def main():
    tree = pathlib.Path(sys.argv[1]).resolve() / "mutants"
    names = sys.argv[2:]
    files = sorted(f for f in HERE.glob("*.patch") if not names or f.stem in names)
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for folder in ("agent", "hb", "conf", "tests", "tools", "subagent", "mibs"):
        shutil.copytree(TOP / folder, tree / folder)
    shutil.copy(TOP / "Makefile", tree)
    build(tree)
    if found := complaint(tree, "1", "200") or complaint(tree, "--ways"):
        sys.exit(f"the simulator fails without any mutant ({found}): repair that first")
    survived = []
    for file in files:
        started = time.monotonic()
        patch(tree, file)
        build(tree)
        found = hunt(tree, file.stem)
        patch(tree, file, "-R")
        took = time.monotonic() - started
        survived += [] if found else [file.stem]
        print(f"{'killed  ' if found else 'SURVIVED'} {file.stem:32} {took:5.0f} s  "
              f"{f'within {found[0]}: {found[1]}' if found else f'{RUNS} histories'}", flush=True)
    print(f"{len(files) - len(survived)} passed, {len(survived)} failed")
    if survived:
        print(f"     repeat with: python3 tests/sim/mutants.py {sys.argv[1]} {' '.join(survived)}")
    return 1 if survived or not files else 0


if __name__ == "__main__":
    sys.exit(main())
