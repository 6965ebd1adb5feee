"""tests/lab/demo.py - `make demo`: the main job, shown in a minute, with times.

    python3 tests/lab/demo.py            as root; exit 0 only when every step happened
    python3 tests/lab/demo.py --shell    the same cluster, left up with a prompt (`make lab`)

Two nodes and a client in network namespaces; a real snmpd on each node and a real snmptrapd on the
client.  Everything is removed at the end, also after Ctrl-C.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import SERVICE, SERVICE6, Lab, LabError, now, wait_until  # noqa: E402
from measure import Echo, Owners, Probe  # noqa: E402
from service import TRAP_OID, Cluster, Manager, Mib, Snmpd, Trapd, v3_arguments  # noqa: E402

LIMIT_S = 60
PICTURE = """
         alpha  {alpha:<14}          beta  {beta:<14}         client
      red  blue  pub               red  blue  pub             pub
       |     |    |                 |     |    |               |
   ====+=====|====|=== heartbeats ==+=====|====|===            |
   ==========+====|=== heartbeats ========+====|===            |
   ===============+============================+===============+=== public
"""


class Demo:
    def __init__(self, lab):
        self.lab = lab
        self.started = now()
        self.step_number = 0

    def step(self, text):
        self.step_number += 1
        print(f"\n[{now() - self.started:5.1f} s] {self.step_number}. {text}", flush=True)

    def say(self, text):
        for line in text.rstrip().splitlines():
            print(f"          {line}", flush=True)

    def picture(self):
        """Who has power, who has the service address."""
        words = {}
        for node in self.lab.pair:
            words[node.name] = ("(no power)" if node.off_since is not None else
                                f"*{SERVICE}*" if node.has() else "(standby)")
        print(PICTURE.format(**words), end="", flush=True)

    def prepare(self):
        """Everything but yoke itself."""
        self.mib = Mib()
        self.manager = Manager(self.lab, self.mib)
        self.trapd = Trapd(self.lab.client)
        self.echo = {node.name: Echo(node) for node in self.lab.pair}
        self.snmpd = {node.name: Snmpd(node).start() for node in self.lab.pair}

    def form(self):
        self.cluster = Cluster(self.lab, start=False, snmp=True)
        for yoke in self.cluster.by_name.values():
            yoke.start()
        self.cluster.settle()
        self.cluster.switch(self.lab.alpha)

    def column(self, node, name, *index):
        return wait_until(lambda: self.manager.get(node, self.mib.oid(name, *index)), 10,
                          f"{name} from {node.name}")

    def walk(self, node):
        wait_until(lambda: self.manager.get(node, self.mib.oid("yokeGroupState", 1)) == "4", 10,
                   f"YOKE-MIB of {node.name} shows the group as started")
        rows = self.manager.walk(node, self.mib.oid("yokeMIB"))
        names = {self.mib.name(oid): value for oid, value in rows.items()}
        self.say(f"snmpwalk of {node.name}: {len(names)} values, among them")
        for name in ("yokeClusterName.0", "yokeClusterText.0", "yokeNodeName.1", "yokeNodeState.1",
                     "yokeNodeName.2", "yokeNodeState.2", "yokeGroupName.1",
                     "yokeGroupOwnerName.1", "yokeGroupTerm.1"):
            self.say(f"  {name} = {names[name]}")

    def power_cut(self):
        """Returns the outage that the client saw, ms."""
        seen = len(self.trapd.traps())
        at = self.lab.alpha.power_cut()
        self.probe.wait_answer(timeout=10, node=self.lab.beta, since=at)
        time.sleep(0.2)
        outage, start = self.probe.gap(at)
        self.picture()
        self.say(f"the client's longest time without an answer: {outage:.0f} ms "
                 f"(it asks every millisecond; the gap began {1000 * (start - at):+.0f} ms "
                 "from the cut)")
        if self.owners.both_ms(at):
            raise AssertionError("the address was on both nodes")
        self.show_traps(seen, {"yokeNodeLost", "yokeGroupStarted"})

    def show_traps(self, seen, wanted):
        """The notifications since number `seen`; all of `wanted` must come."""
        wait_until(lambda: wanted <= set(self.trapd.kinds(self.mib, seen)), 10,
                   f"snmptrapd has {', '.join(sorted(wanted))}")
        for trap in self.trapd.traps()[seen:]:
            text = next((value for oid, value in trap.items()
                         if self.mib.name(oid).startswith("yokeEventText")), "")
            self.say(f"snmptrapd: {self.mib.name(trap[TRAP_OID].lstrip('.'))} from "
                     f"{trap['from']}: {text}")

    def come_back(self):
        self.lab.alpha.power_on()
        self.echo["alpha"] = Echo(self.lab.alpha)
        self.snmpd["alpha"].start()
        self.cluster.alpha.start()
        self.cluster.settle(self.lab.beta)
        self.picture()

    def failback(self):
        seen = len(self.trapd.traps())
        oid = self.mib.oid("yokeGroupControlOwner", 1)
        self.column(self.lab.beta, "yokeGroupOwner", 1)
        self.say(f"snmpset {' '.join(v3_arguments('yoke-oper')[:5])} ... "
                 f"{self.lab.beta.address()} yokeGroupControlOwner.1 u 1")
        at = now()
        done = self.manager.set(self.lab.beta, oid, "u", 1)
        if done.returncode:
            raise AssertionError(f"snmpset: {done.stderr.strip()}")
        self.probe.wait_answer(timeout=5, node=self.lab.alpha, since=at)
        self.cluster.settle(self.lab.alpha)
        self.picture()
        self.say(f"the client's longest time without an answer: {self.probe.outage(at):.0f} ms")
        if self.owners.both_ms(at):
            raise AssertionError("the address was on both nodes")
        self.show_traps(seen, {"yokeOperationSucceeded"})

    def command(self, *arguments):
        done = self.cluster.alpha.cli(*arguments)
        if done.returncode:
            raise AssertionError(f"yoke {' '.join(arguments)}: {done.stderr.strip()}")
        self.say(f"alpha# yoke {' '.join(arguments)}")
        self.say(done.stdout)

    def run(self):
        self.step("Two nodes and a client, in network namespaces; snmpd, snmptrapd.")
        self.prepare()
        self.step("yoke starts on both nodes: the cluster forms.")
        self.form()
        self.picture()
        self.step("The client reaches the service address.")
        self.owners = Owners(self.lab)
        self.probe = Probe(self.lab)
        answer = self.probe.wait_answer()
        probe6 = Probe(self.lab, SERVICE6, name="probe6")
        probe6.wait_answer()
        self.say(f"{SERVICE} and {SERVICE6} answer from {answer[2]} "
                 f"in {1000 * (answer[1] - answer[0]):.1f} ms")
        self.step("What the management station sees.")
        self.walk(self.lab.alpha)
        self.step("Power cut of alpha: links down, every process killed, at the same instant.")
        self.power_cut()
        self.step("alpha gets power again: it comes back as standby, nothing moves.")
        self.come_back()
        self.step("Failback by SNMP SET, SNMPv3 authPriv.")
        self.failback()
        self.step("The operator's view.")
        self.command("status")
        self.command("history")
        took = now() - self.started
        print(f"\nDone in {took:.1f} s: every step happened.", flush=True)
        if took > LIMIT_S:
            raise AssertionError(f"the demo took longer than {LIMIT_S} s")


def write_commands(demo):
    """alpha, beta and client as commands: each runs its arguments on that machine."""
    folder = demo.lab.dir / "commands"
    folder.mkdir()
    for node in (*demo.lab.pair, demo.lab.client):
        yoke = demo.cluster.by_name.get(node.name)
        socket = f"export YOKE_SOCKET={yoke.socket}\n" if yoke else ""
        command = " ".join(node.enter(["\"$@\""])[:3])
        script = folder / node.name
        script.write_text(f"#!/bin/sh\n# run a command on {node.name}; without one: a shell\n"
                          f"{socket}PATH={yoke.bin if yoke else folder}:$PATH\nexport PATH\n"
                          f'[ $# -gt 0 ] || set -- "${{SHELL:-/bin/sh}}"\nexec {command} "$@"\n')
        script.chmod(0o755)
    return folder


def shell(demo):
    demo.prepare()
    demo.form()
    demo.picture()
    folder = write_commands(demo)
    alpha = demo.lab.alpha
    print(f"""
The cluster is up.  alpha, beta and client are commands, for instance
  alpha yoke status                      beta yoke watch
  alpha yoke switch web beta             client ping {SERVICE}
  alpha                                  (a shell on alpha)
  client snmpwalk {' '.join(v3_arguments('yoke-read'))} \\
      {alpha.address()} {demo.mib.oid('yokeMIB')}
logs: {demo.lab.dir}/*/*.log        `exit` ends the lab
""", flush=True)
    environment = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}", PS1="lab# ",
                       MIBS="")
    program = shutil.which("bash")
    subprocess.run([program, "--norc", "-i"] if program else ["sh", "-i"], env=environment,
                   check=False)


def main():
    if sys.argv[1:] not in ([], ["--shell"]):
        sys.exit("usage: demo.py [--shell]")
    try:
        with Lab("demo") as lab:
            demo = Demo(lab)
            if sys.argv[1:]:
                shell(demo)
            else:
                demo.run()
    except KeyboardInterrupt:
        print("\ndemo: interrupted; everything is cleaned up", file=sys.stderr)
        return 130
    except (AssertionError, LabError) as error:
        print(f"\ndemo: FAILED: {error}\nto repeat: make demo", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
