"""tests/bench/bench.py - `make bench`: yoke beside keepalived, and corosync where it is of use, in
the same lab, in the same run.

    python3 tests/bench/bench.py [CASE...]       as root; all cases without one
    make bench CASE="path idle"                  the same
    RUNS=20      power cuts with fast settings; the others are a part of it
    LOSS_S=60    seconds of 30 % loss        HANG_S=60   seconds that snmpd hangs
    IDLE_S=30    seconds of doing nothing    PATH_S=20  seconds of heartbeats on one path
    PRODUCTS="yoke keepalived corosync"

Prints one table and writes build/bench.json.  A ratio is yoke / another one.
"""

import json
import os
import pathlib
import signal
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from products import cpu_seconds, memory_mb, on_the_wire, product  # noqa: E402
from lab import BUILD, Lab, now, run, wait_until  # noqa: E402
from measure import Echo, Frames, Owners, Probe  # noqa: E402
from service import Trapd  # noqa: E402

RUNS = int(os.environ.get("RUNS", "20"))
LOSS_S = float(os.environ.get("LOSS_S", "60"))
HANG_S = float(os.environ.get("HANG_S", "60"))
IDLE_S = float(os.environ.get("IDLE_S", "30"))
PATH_S = float(os.environ.get("PATH_S", "20"))
PATH_WINDOWS = 3
PAIR = ("yoke", "keepalived")
NAMES = (*PAIR, "corosync")
PRODUCTS = tuple(os.environ.get("PRODUCTS", " ".join(NAMES)).split())
SETTINGS = {"fast": PAIR, "default": PAIR}
EVERY = {"10 ms": PAIR, "100 ms": PAIR, "200 ms": NAMES}


class Bench:
    def __init__(self, lab):
        self.lab = lab
        self.rows = {}  # (case, metric, setting) -> product -> values
        self.problems = []
        for node in lab.pair:
            Echo(node)
        self.owners = Owners(lab)
        # snmpd waits for the answer to each inform: without a receiver it would do nothing else.
        self.trapd = Trapd(lab.client)
        self.probe = Probe(lab)

    def note(self, case, metric, setting, name, value):
        self.rows.setdefault((case, metric, setting), {}).setdefault(name, []).append(value)

    def fresh_probe(self):
        """A new file: reading an hour of milliseconds again and again would take its time."""
        self.probe.close()
        self.probe = Probe(self.lab)

    def runs(self, setting):
        return RUNS if setting == "fast" else max(3, RUNS // 4)

    def power_cut(self, made, name, setting):
        for _ in range(self.runs(setting)):
            owner = made.settle()
            peer = self.lab.other(owner)
            self.fresh_probe()
            self.probe.wait_answer(node=owner)
            at = owner.power_cut()
            self.probe.wait_answer(timeout=20, node=peer, since=at)
            time.sleep(0.1)
            self.note("power cut of the owner", "outage, ms", setting, name, self.probe.outage(at))
            owner.power_on()
            Echo(owner)
            made.restart(owner)

    def daemon_fault(self, made, name, setting, number, case):
        for _ in range(max(3, self.runs(setting) // 4)):
            owner = made.settle()
            self.fresh_probe()
            self.probe.wait_answer(node=owner)
            victim = made.daemon(owner)
            at = now()
            os.kill(victim, number)
            time.sleep(3 if setting == "fast" else 6)
            both = self.owners.both_ms(at)
            self.note(case, "outage, ms", setting, name, self.probe.outage(at))
            self.note(case, "two owners, ms", setting, name, both)
            self.note(case, "takeovers", setting, name, self.owners.takeovers(at))
            try:
                os.kill(victim, signal.SIGCONT)
            except ProcessLookupError:
                pass
            time.sleep(0.5)

    def kill(self, made, name, setting):
        self.daemon_fault(made, name, setting, signal.SIGKILL, "kill -9 of the daemon")

    def hang(self, made, name, setting):
        self.daemon_fault(made, name, setting, signal.SIGSTOP, "SIGSTOP of the daemon")

    def switchover(self, made, name, setting):
        for _ in range(max(3, self.runs(setting) // 2)):
            owner = made.settle()
            target = self.lab.other(owner)
            self.fresh_probe()
            self.probe.wait_answer(node=owner)
            at = now()
            made.switch(target)
            self.probe.wait_answer(timeout=20, node=target, since=at)
            time.sleep(0.1)
            self.note("switchover", "outage, ms", setting, name, self.probe.outage(at))
            self.note("switchover", "two owners, ms", setting, name, self.owners.both_ms(at))

    def loss(self, made, name, setting):
        made.settle()
        at = now()
        for link in ("red", "blue"):
            self.lab.block(link, percent=30)
        time.sleep(LOSS_S)
        self.lab.heal()
        case = f"{LOSS_S:.0f} s of 30 % loss"
        self.note(case, "takeovers", setting, name, self.owners.takeovers(at))
        self.note(case, "two owners, ms", setting, name, self.owners.both_ms(at))

    def snmpd(self, made, name, setting):
        owner = made.settle()
        wait_until(lambda: made.mib_answers(owner), 30, f"{name}'s MIB answers")
        frames = Frames(self.lab, owner, "red", made.heartbeat, name=f"frames-{name}-{setting}")
        case = f"snmpd hangs {HANG_S:.0f} s"
        daemon = made.snmpd[owner.name].process
        at = now() + 0.2
        time.sleep(0.3)
        daemon.send_signal(signal.SIGSTOP)
        time.sleep(HANG_S)
        until = now()
        self.note(case, "gap between heartbeats, ms", setting, name,
                  frames.longest_gap(at, until - 0.1))
        self.note(case, "takeovers", setting, name, self.owners.takeovers(at))
        self.note(case, "two owners, ms", setting, name, self.owners.both_ms(at))
        daemon.send_signal(signal.SIGCONT)
        until = now()
        wait_until(lambda: made.mib_answers(owner), 90, f"{name}'s MIB answers again")
        self.note(case, "MIB back after, s", setting, name, now() - until)
        frames.close()

    def idle(self, made, name, setting):
        owner = made.settle()
        time.sleep(2)
        self.fresh_probe()
        pids = made.pids(owner)
        since, used = now(), cpu_seconds(pids)
        time.sleep(IDLE_S)
        percent = (cpu_seconds(pids) - used) / (now() - since) * 100
        self.note("idle, active node", "CPU, % of a core", setting, name, percent)
        self.note("idle, active node", "RSS, MB", setting, name, memory_mb(pids, "Rss"))
        self.note("idle, active node", "PSS, MB", setting, name, memory_mb(pids, "Pss"))
        for second in range(int(IDLE_S) - 1):
            gap = self.probe.outage(since + second, since + second + 1)
            self.note("no fault, each second", "longest gap, ms", setting, name, gap)

    def path(self, made, name, setting):
        """One path and nothing happens on it: no SNMP, no client."""
        self.probe.close()
        owner = made.settle()
        other = self.lab.other(owner)
        time.sleep(2)
        case = "heartbeats on one path"
        for _ in range(PATH_WINDOWS):
            since, wire = now(), on_the_wire(owner, "red")
            used = [cpu_seconds(made.pids(node)) for node in (owner, other)]
            time.sleep(PATH_S)
            took = now() - since
            packets, size = (after - before
                             for before, after in zip(wire, on_the_wire(owner, "red")))
            for node, before, who in zip((owner, other), used, ("owner", "other node")):
                percent = (cpu_seconds(made.pids(node)) - before) / took * 100
                self.note(case, f"CPU, % of a core, {who}", setting, name, percent)
            self.note(case, "packets/s, both ways", setting, name, packets / took)
            self.note(case, "bytes/s, both ways", setting, name, size / took)

    def seal(self, name):
        """Sealing and opening one heartbeat, again and again, on one core."""
        program = BUILD / "tests/bench/seal"
        for _ in range(PATH_WINDOWS):
            self.note("sealed and opened", "frames/s on a core", "-", name,
                      float(run(program, name)))

    def seals(self):
        for name in ("yoke", "corosync"):
            print(f"bench: seal, {name}", file=sys.stderr, flush=True)
            self.seal(name)

    def case(self, title, job, snmp=False, settings=SETTINGS):
        for setting, names in settings.items():
            for name in (name for name in names if name in PRODUCTS):
                print(f"bench: {title}, {setting}, {name}", file=sys.stderr, flush=True)
                made = None
                try:
                    made = product(self.lab, name, setting, snmp)
                    job(made, name, setting)
                except AssertionError as error:
                    self.problems.append(f"{title}, {setting}, {name}: {error}")
                finally:
                    self.clean(made)

    def clean(self, made):
        """The next product finds the lab as new."""
        self.lab.restore()
        if made:
            made.stop()
        for node in self.lab.pair:
            echo = node.processes.get("echo")
            for name, process in list(node.processes.items()):
                if process is not echo:
                    process.stop()
                    del node.processes[name]
            node.forget()
            if not (echo and echo.is_running()):
                Echo(node)


CASES = {
    "power-cut": (Bench.power_cut, False),
    "kill": (Bench.kill, False),
    "hang": (Bench.hang, False),
    "switchover": (Bench.switchover, False),
    "loss": (Bench.loss, False),
    "snmpd-hang": (Bench.snmpd, True),
    "idle": (Bench.idle, True),
    "path": (Bench.path, False, EVERY),
}


def summary(values):
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "runs": len(values), "values": values}


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def cell(result):
    if not result:
        return "-"
    if result["runs"] == 1:
        return number(result["median"])
    return f"{number(result['median'])} ({number(result['min'])}-{number(result['max'])})"


def ratio(ours, theirs):
    if not ours or not theirs or not theirs["median"]:
        return "-"
    return f"{ours['median'] / theirs['median']:.2f}"


def table(rows):
    lines = [("case", "measured", "setting", "runs", *NAMES, *(f"/{name}" for name in NAMES[1:]))]
    for (case, metric, setting), values in rows.items():
        ours, *theirs = results = [summary(values.get(name)) for name in NAMES]
        count = next(result["runs"] for result in results if result)
        lines.append((case, metric, setting, str(count), *map(cell, results),
                      *(ratio(ours, result) for result in theirs)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip()
                     for line in lines)


def write_json(bench):
    report = [{"case": case, "metric": metric, "setting": setting,
               **{name: summary(values.get(name)) for name in NAMES}}
              for (case, metric, setting), values in bench.rows.items()]
    file = BUILD / "bench.json"
    file.write_text(json.dumps({"rows": report, "problems": bench.problems}, indent=1) + "\n")
    return file


def main():
    wanted = sys.argv[1:] or list(CASES)
    unknown = [name for name in wanted if name not in CASES]
    if unknown:
        sys.exit(f"bench: no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    with Lab("bench") as lab:
        bench = Bench(lab)
        for name in wanted:
            job, *how = CASES[name]
            bench.case(name, lambda *arguments, todo=job: todo(bench, *arguments), *how)
        if "path" in wanted:
            bench.seals()
        print("median (min-max); ratios: yoke / the other.  fast: dead_ms = 30, advert 10 ms; "
              "default: nothing configured; 10, 100, 200 ms: between two heartbeats\n")
        print(table(bench.rows))
        print(f"\nalso in {write_json(bench)}")
        for problem in bench.problems:
            print(f"bench: NOT MEASURED: {problem}")
    return 1 if bench.problems else 0


if __name__ == "__main__":
    sys.exit(main())
