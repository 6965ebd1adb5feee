"""The README's commands work: each block that is marked as `sh run` is run as it is written.

A block opens with three backquotes and the words "sh run".  It is run by sh -e in the top folder
with build/ in PATH, on its own, and must end with exit code 0.
"""

import os
import re
import subprocess
import sys

import pytest

from lab import BUILD, TOP

README = TOP / "README.md"
BLOCK = re.compile(r"^```sh run\n(.*?)^```", re.S | re.M)


def blocks():
    return BLOCK.findall(README.read_text()) if README.exists() else []


@pytest.mark.parametrize("commands", blocks() or [None])
def test_block_runs(commands):
    assert commands, "README.md has no block that is marked 'sh run'"
    path = f"{BUILD}:{os.environ['PATH']}"
    done = subprocess.run(["sh", "-e", "-c", commands], cwd=TOP, text=True, check=False,
                          timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, PATH=path))
    assert done.returncode == 0, done.stdout


def test_two_commands_at_the_top():
    text = README.read_text()
    assert 0 <= text.find("make demo") < 3000 and 0 <= text.find("make check") < 3000


def test_every_file_that_it_names_exists():
    """A reading order with a file that moved is worse than none."""
    names = re.findall(r"`((?:agent|hb|conf|subagent|mibs|tools|tests)/[\w./-]+)`",
                       README.read_text())
    missing = sorted({name for name in names if not (TOP / name).exists()})
    assert not missing, f"README names what is not there: {missing}"


def test_every_test_that_it_names_exists():
    """What it promises is tested, or it is not promised."""
    tests = list((TOP / "tests").rglob("test_*.py"))
    known = {file.name for file in tests}
    for file in tests:
        known |= set(re.findall(r"^def (test_\w+)\(", file.read_text(), re.M))
    names = re.findall(r"\btest_\w+(?:\.py)?", README.read_text())
    missing = sorted(set(names) - known)
    assert len(names) > 20 and not missing, f"README names tests that are not there: {missing}"


PROMISES = re.compile(r"^\| what happens \| nothing .*\n\|[-|]+\n((?:\|.*\n)+)", re.M)


def promises():
    """What happens -> the cells beside it: nothing configured, fence device, lock."""
    rows = [line.strip("|\n").split(" | ") for line in
            PROMISES.search(README.read_text()).group(1).splitlines()]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def test_every_promise_names_its_test():
    rows = promises()
    assert len(rows) > 10 and all(len(cells) == 3 for cells in rows.values()), rows
    unproven = [(what, cell) for what, cells in rows.items() for cell in cells
                if cell != "-" and not re.search(r"`test_\w+`", cell)]
    assert not unproven, f"README promises without a test: {unproven}"


def test_every_promise_of_a_lock_is_tested_with_both_kinds():
    done = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/lab"],
                          cwd=TOP, text=True, check=True, stdout=subprocess.PIPE, timeout=60)
    kinds = {}
    for name, kind in re.findall(r"::(test_\w+)\[(.*)\]$", done.stdout, re.M):
        kinds.setdefault(name, set()).update(re.findall("witness|disk", kind))
    missing = {}
    for cells in promises().values():
        names = re.findall(r"`(test_\w+)`", cells[2])
        # One that is of one kind by its name has another of the other kind beside it.
        told = {kind for name in names for kind in re.findall("witness|disk", name)}
        missing |= {name: {"witness", "disk"} - kinds.get(name, set())
                    - (told if re.search("witness|disk", name) else set()) for name in names}
    assert not any(missing.values()), {name: of for name, of in missing.items() if of}
