"""tests/lint/layers.py - who may include what: folders form a star, each library has a home.

    python3 tests/lint/layers.py

Everyone may include agent/base; only agent/ includes the other folders; no sibling includes a
sibling; tests may include anything.  The headers of a third-party library appear in one folder
only.  Ours are named by their path from the top.
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]

FOLDERS = {
    "agent/base": [],
    "agent/core": ["agent/base"],
    "agent": ["agent/base", "agent/core", "hb", "conf"],
    "hb": ["agent/base"],
    "conf": ["agent/base"],
    "subagent": ["agent/base"],
    "tools": ["agent/base"],
}

LIBRARIES = {
    "event2/": ["agent"],
    "libmnl/": ["agent"],
    "sys/capability.h": ["agent"],
    "openssl/": ["hb"],
    "confuse.h": ["conf"],
    "net-snmp/": ["subagent"],
    "jansson.h": ["agent/base"],
    "blkid/": ["tools"],
    "cmocka.h": [],
}

# file -> what it may include besides, and why.
EXCEPTIONS = {
    ("tools/check.c", "conf"): "`yoke check` runs the very checks that yoked runs",
    ("tools/check.c", "hb"): "and a console and a disk are refused as yoked refuses them",
    ("tools/running.h", "conf"): "`yoke reload` says what yoked will do, by what yoked goes by",
    ("tools/config.c", "conf"): "`yoke config push` checks what it sends",
    ("tools/config.c", "hb"): "and seals it as the other node's courier opens it",
    ("tools/key.c", "conf"): "`yoke key` writes the file that yoked reads",
    ("tools/disk.c", "conf"): "`yoke disk` makes a disk for the cluster that the file names",
    ("tools/disk.c", "hb"): "with the very blocks that yoked reads",
    ("tools/disk.c", "agent/core"): "and the core's words for a slot's state",
    ("tools/model.h", "agent/core"): "`yoke simulate` runs the very core that engines run",
    ("tools/model.h", "conf"): "on the configuration that they have",
    ("tools/model.c", "agent"): "set up as theirs is",
    ("tools/simulate.c", "conf"): "from the same file",
    ("tools/serial.c", "hb"): "`yoke serial-test` opens a line as yoked does",
    ("tools/cable.h", "hb"): "and its frames go as heartbeats do",
    ("tools/replay.c", "agent/core"): "`yoke replay` runs a recording through the very same core",
    ("tools/replay.c", "agent"): "the recording is in the memory that keeper and engine share",
    ("conf/digest.c", "openssl/"): "SHA-256 over the configuration",
    ("conf/push.c", "openssl/"): "SHA-256 over the file that a push replaces",
    ("conf/key.c", "openssl/"): "wiping the cluster key from memory",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def folder_of(path):
    """The longest of our folders that a path from the top lies in."""
    parent = str(pathlib.PurePosixPath(path).parent)
    fits = [f for f in FOLDERS if parent == f or parent.startswith(f + "/")]
    return max(fits, key=len, default=None)


def problem_of(file, folder, style, target):
    """What is wrong with one include, or None."""
    library = next((name for name in LIBRARIES if target.startswith(name)), None)
    if library:
        if folder in LIBRARIES[library]:
            return None
        wanted, rule = library, f"belongs to {', '.join(LIBRARIES[library]) or 'tests'} only"
    elif style == "<":
        return None
    elif "/" not in target or not (TOP / target).exists():
        return f'"{target}" is not a path from the top'
    else:
        wanted = folder_of(target)
        if wanted == folder or wanted in FOLDERS[folder]:
            return None
        rule = f"{folder} may include {', '.join(FOLDERS[folder]) or 'nothing of ours'}"
    if (file, wanted) in EXCEPTIONS:
        return None
    return f"includes {target}: {rule}"


def main():
    problems, count = [], 0
    for path in sorted(p for p in TOP.rglob("*.[ch]") if "build" not in p.relative_to(TOP).parts):
        file = path.relative_to(TOP).as_posix()
        folder = folder_of(file)
        if not folder:
            continue
        count += 1
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            problem = match and problem_of(file, folder, match[1], match[2])
            if problem:
                problems.append(f"{file}:{number}: {problem}")
    print("\n".join(problems) or f"layers: {count} files keep to the star")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
