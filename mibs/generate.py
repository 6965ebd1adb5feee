#!/usr/bin/python3
"""Write YOKE-MIB from its template: the root's place, and the kinds of events.

usage: generate.py OID OUTPUT [TEMPLATE]

OID is the root as a number below enterprises (1.3.6.1.4.1), for example
1.3.6.1.4.1.8072.9999.9999.4747.  The kinds come from agent/base/events.def: their order there is
their number here, one higher, because unknown(1) comes first.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
EVENTS = HERE.parent / "agent" / "base" / "events.def"
ENTERPRISES = "1.3.6.1.4.1."


def parent_of(oid):
    """The root as SMIv2 writes it: 'enterprises yokeArc1(8072) yokeArc2(9999) 4747'."""
    if not re.fullmatch(re.escape(ENTERPRISES) + r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*", oid):
        raise ValueError(f"YOKE_OID={oid}: must be numbers below {ENTERPRISES[:-1]}, "
                         f"for example {ENTERPRISES}8072.9999.9999.4747")
    numbers = oid[len(ENTERPRISES):].split(".")
    if any(int(number) > 4294967295 for number in numbers):
        raise ValueError(f"YOKE_OID={oid}: a number is above 4294967295")
    arcs = [f"yokeArc{place}({number})" for place, number in enumerate(numbers[:-1], 1)]
    return " ".join(["enterprises", *arcs, numbers[-1]])


def kinds_of(text):
    """The kinds of events.def as enumeration labels: NODE_LOST is nodeLost."""
    labels = ["unknown"]
    for kind in re.findall(r"^\s*X\((\w+),", text, re.MULTILINE):
        first, *others = kind.lower().split("_")
        labels.append(first + "".join(word.capitalize() for word in others))
    return labels


def generate(oid, template, events):
    kinds = kinds_of(events)
    lines = ",\n".join(f"        {label}({number})" for number, label in enumerate(kinds, 1))
    return template.replace("@YOKE_PARENT@", parent_of(oid)).replace("@EVENT_KINDS@", lines)


def main(arguments):
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 64
    template = arguments[2] if len(arguments) == 3 else HERE / "YOKE-MIB.txt.in"
    try:
        text = generate(arguments[0], pathlib.Path(template).read_text("ascii"),
                        EVENTS.read_text("ascii"))
    except ValueError as error:
        print(f"generate.py: {error}", file=sys.stderr)
        return 1
    output = pathlib.Path(arguments[1])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, "ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
