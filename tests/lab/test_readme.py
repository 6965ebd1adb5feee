"""The README's commands work: each block that is marked as `sh run` is run as it is written.

A block opens with three backquotes and the words "sh run".  It is run by sh -e in the top folder
with build/ in PATH, on its own, and must end with exit code 0.
"""

import os
import re
import subprocess

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
