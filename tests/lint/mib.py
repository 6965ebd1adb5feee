#!/usr/bin/python3
"""Check YOKE-MIB against the rules of SMIv2 and against the sources that it must agree with.

usage: mib.py MIB

Prints each problem on a line and exits with 1 when there is one.  Needs smilint (smitools).
"""

import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
IMPORTABLE = {"SNMPv2-SMI", "SNMPv2-TC", "SNMPv2-CONF", "SNMP-FRAMEWORK-MIB", "INET-ADDRESS-MIB"}
NUMERIC = {"Unsigned32", "Integer32", "Gauge32", "Counter32", "Counter64"}
UNSIGNED = {"Unsigned32", "Gauge32", "YokeIndex", "YokeIndexOrZero", "InetPortNumber"}
OCTETS = {"SnmpAdminString", "DateAndTime", "InetAddress"}
SEVERITIES = {"INFO": "INFORMATIONAL", "WARNING": "WARNING", "CRITICAL": "CRITICAL"}
NAME_MAX = 32

problems = []


def problem(text):
    problems.append(text)


def read(path):
    return (TOP / path).read_text("ascii")


def compare(what, ours, theirs):
    for item in sorted(set(ours) - set(theirs)):
        problem(f"{what}: only in the MIB: {item}")
    for item in sorted(set(theirs) - set(ours)):
        problem(f"{what}: not in the MIB: {item}")


def smilint(mib):
    base = mib.resolve().parent / "base-mibs"
    subprocess.run([TOP / "tests" / "lint" / "base-mibs.sh", base], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write(f"path {base}\n")
        config.flush()
        result = subprocess.run(["smilint", "-c", config.name, "-l", "6", "-m", "-s", mib],
                                capture_output=True, text=True, check=False)
    for line in (result.stdout + result.stderr).splitlines():
        problem(f"smilint: {line}")


class Mib:
    """What the checks need of the module, read with regular expressions: smilint has parsed it."""

    def __init__(self, text):
        self.text = re.sub(r"--(?!#).*", "", text)
        self.modules = set(re.findall(r"\bFROM\s+([\w-]+)", self.text))
        self.conventions = {
            name: re.findall(r"(\w+)\((\d+)\)", body) for name, body in re.findall(
                r"^(\w+) ::= TEXTUAL-CONVENTION(?:(?!::=).)*?SYNTAX INTEGER \{(.*?)\}", self.text,
                re.MULTILINE | re.DOTALL)}
        self.places = dict(re.findall(r"^(\w+)\s+OBJECT IDENTIFIER ::= \{ (\w+ \d+) \}", self.text,
                                      re.MULTILINE))
        self.objects = {}
        for name, body, place in re.findall(
                r"^(\w+) OBJECT-TYPE\n(.*?)::= \{ (\w+ \d+) \}", self.text,
                re.MULTILINE | re.DOTALL):
            self.places[name] = place
            self.objects[name] = {
                "syntax": re.search(r"SYNTAX (SEQUENCE OF \w+|\w+)", body)[1],
                "access": re.search(r"MAX-ACCESS ([\w-]+)", body)[1],
                "units": re.search(r'UNITS "', body) is not None}
        self.notifications = {}
        for name, body, number in re.findall(
                r"^(\w+) NOTIFICATION-TYPE\n(.*?)::= \{ yokeNotifications (\d+) \}", self.text,
                re.MULTILINE | re.DOTALL):
            self.notifications[name] = {"body": body, "number": int(number),
                                        "objects": re.findall(r"\w+", re.search(
                                            r"OBJECTS \{(.*?)\}", body, re.DOTALL)[1])}

    def below_objects(self, name):
        """The identifier below yokeObjects, '2.1.3'; None when it is not below."""
        numbers = []
        while name != "yokeObjects":
            if name not in self.places:
                return None
            name, number = self.places[name].split()
            numbers.insert(0, number)
        return ".".join(numbers)

    def accessible(self):
        return {name: self.below_objects(name) for name, about in self.objects.items()
                if about["access"] != "not-accessible"}


def check_style(mib):
    for module in sorted(mib.modules - IMPORTABLE):
        problem(f"imports from {module}, which cannot be had offline")
    for name in [*mib.objects, *mib.notifications, *mib.conventions]:
        if len(name) > NAME_MAX:
            problem(f"{name} is longer than {NAME_MAX} letters")
    for name, about in mib.objects.items():
        if about["syntax"] in NUMERIC and not about["units"] and \
                about["access"] != "not-accessible":
            problem(f"{name} is a number without UNITS")


def check_words(mib):
    tables = dict(re.findall(r"^#define YOKE_WORDS_(\w+)\(X\)(.*?)(?:\n\n|\Z)",
                             read("agent/base/words.def"), re.MULTILINE | re.DOTALL))
    tables.pop("VERDICT")  # becomes an SNMP error, not an object
    conventions = {f"Yoke{name.title().replace('_', '')}Word": body
                   for name, body in tables.items()}
    compare("enumerations", {name for name in mib.conventions if name != "YokeEventKindWord"},
            conventions)
    for name, body in conventions.items():
        words = {(word, number) for number, word in re.findall(r'X\(\w+, (\d+), "(\w+)"\)', body)}
        compare(name, mib.conventions.get(name, []), words)


def events():
    """(kind, severity, notification) in the order of events.def."""
    return re.findall(r'^\s*X\((\w+), "\w+", (\w+), "(\w*)"', read("agent/base/events.def"),
                      re.MULTILINE)


def check_kinds(mib):
    labels = [("unknown", "1")]
    for number, (kind, _, _) in enumerate(events(), 2):
        words = kind.lower().split("_")
        labels.append((words[0] + "".join(word.capitalize() for word in words[1:]), str(number)))
    compare("YokeEventKindWord", mib.conventions.get("YokeEventKindWord", []), labels)


def check_notifications(mib):
    sent = {name: severity for _, severity, name in events() if name}
    compare("notifications of events.def", mib.notifications, sent)
    numbers = {name: int(number) for name, number in re.findall(
        r"X\((\w+), (\d+)\)", read("subagent/notifications.def"))}
    compare("numbers of notifications.def",
            {(name, about["number"]) for name, about in mib.notifications.items()},
            numbers.items())
    first = next(iter(mib.notifications.values()))["objects"]
    for name, about in mib.notifications.items():
        if about["objects"] != first:
            problem(f"{name} has other objects than the first notification")
        if "Do:" not in about["body"]:
            problem(f"{name} does not say what to do")
        for comment in ("TYPE", "SUMMARY", "ARGUMENTS", "SEVERITY"):
            if f"--#{comment} " not in about["body"]:
                problem(f"{name} has no --#{comment}")
        severity = re.search(r"--#SEVERITY (\w+)", about["body"])
        if name in sent and severity and severity[1] != SEVERITIES[sent[name]]:
            problem(f"{name} is {severity[1]}, but {sent[name]} in events.def")
    for name in first:
        if mib.objects[name]["syntax"] == "Counter64":
            problem(f"{name} is a Counter64: no SNMPv1 trap can carry it")


def type_of(syntax):
    if syntax in UNSIGNED:
        return "UNSIGNED"
    if syntax in OCTETS:
        return "OCTETS"
    return syntax.upper() if syntax in NUMERIC - {"Integer32"} else "INTEGER"


def check_golden(mib):
    """Each object has a row in the golden walk, of its type, and nothing else is there."""
    types = {}
    for line in read("tests/snmp/golden.txt").splitlines():
        name, kind = line.split(" ")[:2]
        types[name] = kind
    covered = set()
    for name, place in mib.accessible().items():
        rows = [row for row in types if row.startswith(place + ".")]
        if not rows:
            problem(f"{name} ({place}) is not in tests/snmp/golden.txt")
        covered.update(rows)
        for row in rows:
            if types[row] != type_of(mib.objects[name]["syntax"]):
                problem(f"{name} is {mib.objects[name]['syntax']}, but {types[row]} in the walk")
    for row in sorted(set(types) - covered):
        problem(f"{row} is in tests/snmp/golden.txt, but not in the MIB")


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 64
    path = pathlib.Path(arguments[0])
    mib = Mib(path.read_text("ascii"))
    smilint(path)
    for check in (check_style, check_words, check_kinds, check_notifications, check_golden):
        check(mib)
    for text in problems:
        print(f"{path}: {text}")
    if not problems:
        print(f"{path}: {len(mib.accessible())} objects, {len(mib.notifications)} notifications, "
              "all as in the sources")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
