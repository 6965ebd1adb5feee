"""tests/lint/style.py - what a reader may rely on in every file.

    python3 tests/lint/style.py

Functions fit on a screen, lines in a window; no conditional compilation in .c files; no notes to
oneself; one word for one thing; nothing that is true on one machine only.
"""

import ast
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("agent", "hb", "conf", "subagent", "mibs", "tools", "tests", ".ci")
SUFFIXES = (".c", ".h", ".def", ".py", ".sh", ".md", ".conf", ".in", ".service", ".txt", ".1",
            ".5", ".8")
COLUMNS_MAX, FUNCTION_LINES_MAX, FILE_LINES_MAX = 100, 70, 700
TAB = 8

CODE = (".c", ".h", ".def", ".py", ".sh")
# Written so that this file does not contain what it looks for.
NOTES = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
WORDS = {
    "fail" + "-over": "failover",
    "switch" + "-over": "switchover",
    "fail" + "-back": "failback",
    "stand" + "-by": "standby",
    "take" + "-over": "takeover",
    "heart" + "-beat": "heartbeat",
    "sla" + "ve": "peer or standby",
    "white" + "list": "allowed",
    "black" + "list": "refused",
    "data" + "gramm": "datagram",
}
WORD = re.compile(r"\b(" + "|".join(map(re.escape, WORDS)) + r")s?\b", re.I)
PLACES = re.compile(r"(?<![\w./])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me"])
                    + r")/\w")
TRACKER = re.compile(r"\b" + "iss" + r"ue\s+#?\d", re.I)
CONDITIONAL = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b")
BANNER = re.compile(r"^\s*(/\*|//|#)\s*[*=#~]{10,}")


def width(line):
    return len(line.expandtabs(TAB))


def c_functions(lines):
    """(first line, length) of every function: from '{' in column 0 to '}' in column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif start and line.startswith("}"):
            yield start - 1, number - start + 1
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield node.lineno, node.end_lineno - node.lineno + 1


def problems_of_line(path, line):
    if path.suffix in CODE and width(line) > COLUMNS_MAX:
        yield f"{width(line)} columns, at most {COLUMNS_MAX}"
    if path.suffix == ".c" and CONDITIONAL.match(line):
        yield "conditional compilation: put the choice into a header or the Makefile"
    if path.suffix in CODE and BANNER.match(line):
        yield "a banner: leave it out"
    if line != line.rstrip():
        yield "blanks at the end"
    if NOTES.search(line):
        yield "a note to oneself: do it, or say what is decided"
    for match in WORD.finditer(line):
        yield f"'{match[0]}': we say {WORDS[match[1].lower()]}"
    if PLACES.search(line):
        yield "a path of one machine"
    if TRACKER.search(line):
        yield "a number in a tracker: say what it is about"


def problems_of(path):
    text = path.read_text(errors="replace")
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        for problem in problems_of_line(path, line):
            yield number, problem
    functions = ()
    if path.suffix in (".c", ".h"):
        functions = c_functions(lines)
    elif path.suffix == ".py":
        functions = python_functions(text)
    for number, length in functions:
        if length > FUNCTION_LINES_MAX:
            yield number, f"a function of {length} lines, at most {FUNCTION_LINES_MAX}"
    if path.suffix in CODE and len(lines) > FILE_LINES_MAX:
        yield 1, f"{len(lines)} lines, at most {FILE_LINES_MAX}: this is two ideas"
    if text and not text.endswith("\n"):
        yield len(lines), "no newline at the end"


def main():
    files = [TOP / name for name in ("README.md", "Makefile", "LICENSE") if (TOP / name).exists()]
    for folder in FOLDERS:
        files += sorted(p for p in (TOP / folder).rglob("*") if p.is_file()
                        and (p.suffix in SUFFIXES or folder == ".ci")
                        and "__pycache__" not in p.parts)
    found = [f"{path.relative_to(TOP)}:{number}: {problem}" for path in files
             for number, problem in problems_of(path)]
    print("\n".join(found) or f"style: {len(files)} files are in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
