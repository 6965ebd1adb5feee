"""tests/lab/service.py - what runs on the lab's machines: yoke, snmpd, snmptrapd, and keepalived.

Each class writes its configuration into the node's folder, starts the program there and knows how
to ask it things.  No file of /etc is read and none of /var is written.
"""

import grp
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket

from lab import BUILD, SERVICE, SERVICE6, TOP, LabError, wait_until

# Users and passphrases are those of conf/sample/snmpd.conf and snmptrapd.conf.
USERS = {"yoke-read": "read", "yoke-oper": "oper", "yoke-trap": "trap"}
GROUP_STARTED = "4"  # YokeGroupState
TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
EVENTS = re.findall(r'^\tX\(\w+, "(\w+)"', (TOP / "agent/base/events.def").read_text(), re.M)
EVENTS_MAX = 512  # as agent/base/limits.h
QUIET = dict(os.environ, MIBS="", MIBDIRS="/dev/null", SNMPCONFPATH="/dev/null",
             SNMP_PERSISTENT_DIR="/dev/null")


def v3_arguments(user):
    word = USERS[user]
    return ["-v3", "-l", "authPriv", "-u", user, "-a", "SHA-256", "-A", f"change-this-{word}-auth",
            "-x", "AES", "-X", f"change-this-{word}-priv"]


def sample(name, *changes):
    """A sample file with (pattern, replacement) applied; each must be found."""
    text = (TOP / "conf/sample" / name).read_text()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.M)
        if not count:
            raise LabError(f"conf/sample/{name} has no line for {pattern}")
    return text


def require_users():
    try:
        pwd.getpwnam("yoke")
        pwd.getpwnam("yoke-snmp")
        pwd.getpwnam("yoke-witness")
        grp.getgrnam("yoke")
    except KeyError as error:
        raise LabError(f"{error.args[0]}: 'sh tests/packages.sh demo' makes the users yoke, "
                       "yoke-snmp and yoke-witness") from error

MULTICAST = {4: "239.0.0.7", 6: "ff15::7"}


class Mib:
    """Names and numbers of YOKE-MIB, read from the generated module's text."""

    DEFINITION = re.compile(r"^\s*([a-z][A-Za-z0-9]*)\s+(?:OBJECT IDENTIFIER|OBJECT-TYPE|"
                            r"OBJECT-IDENTITY|MODULE-IDENTITY|NOTIFICATION-TYPE)"
                            r".*?::=\s*\{\s*([^}]*?)\s*\}", re.S | re.M)

    def __init__(self, file=None):
        text = pathlib.Path(file or BUILD / "YOKE-MIB.txt").read_text()
        text = re.sub(r'"[^"]*"', '""', re.sub(r"--[^\n]*", "", text))
        text = text[text.index("BEGIN"):]
        text = re.sub(r"IMPORTS.*?;", "", text, flags=re.S)
        self.oids = {"enterprises": "1.3.6.1.4.1", "netSnmpPlaypen": "1.3.6.1.4.1.8072.9999.9999",
                     "netSnmp": "1.3.6.1.4.1.8072", "experimental": "1.3.6.1.3"}
        waiting = self.DEFINITION.findall(text)
        for _ in range(20):
            for name, place in waiting:
                head, *rest = place.split()
                numbers = [re.sub(r".*\((\d+)\)", r"\1", part) for part in rest]
                if head in self.oids and name not in self.oids:
                    self.oids[name] = ".".join([self.oids[head], *numbers])
        self.names = {oid: name for name, oid in self.oids.items()}

    def oid(self, name, *index):
        return ".".join([self.oids[name], *map(str, index)])

    def name(self, oid):
        """The longest known prefix's name, with the rest as numbers."""
        parts = oid.lstrip(".").split(".")
        for length in range(len(parts), 0, -1):
            known = self.names.get(".".join(parts[:length]))
            if known:
                return ".".join([known, *parts[length:]])
        return oid


class Yoke:
    """yoke on one node."""

    def __init__(self, node, key, dead_ms=None, snmp=True, snmp_set=True, more="", groups=None,
                 log="stderr", links=("red", "blue"), baud=None, public=(), family=4,
                 disk=None, multicast=()):
        """links: with a UDP path each, of this address family; public, multicast: which of them
        are; baud: of one more path, a serial line (tty in its folder); disk: the device of one
        more, or the name of a file in its folder"""
        require_users()
        self.node, self.lab = node, node.lab
        self.dir = node.dir
        self.config = self.dir / "yoke.conf"
        self.run_dir, self.state_dir = self.dir / "run", self.dir / "state"
        self.socket = self.run_dir / "yoke.sock"
        self.key_file = self.dir / "cluster.key"
        self.process = None
        self.keys = {"dead_ms": dead_ms, "snmp": snmp, "snmp_set": snmp_set, "more": more,
                     "groups": groups, "log": log, "links": links, "baud": baud,
                     "public": public, "family": family, "disk": disk,
                     "multicast": multicast}
        self.install()
        self.write_key(key)
        for folder in (self.run_dir, self.state_dir):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            folder.chmod(0o755)
        self.write_config()

    def install(self):
        """Programs are copied: the engine and the subagent give up root, and could not start from a
        build folder below somebody's private home."""
        self.bin = self.lab.dir / "bin"
        self.bin.mkdir(exist_ok=True)
        self.bin.chmod(0o755)
        for name in ("yoked", "yoke", "yoke-snmp"):
            if not (self.bin / name).exists():
                if not (BUILD / name).exists():
                    raise LabError(f"{BUILD / name} is not there: run 'make' first")
                shutil.copy(BUILD / name, self.bin / name)
                (self.bin / name).chmod(0o755)

    def write_key(self, key):
        self.key_file.unlink(missing_ok=True)
        self.key_file.touch(0o600)
        self.key_file.write_text(key + "\n")

    def write_config(self, **changes):
        self.keys.update(changes)
        dead = self.keys["dead_ms"]
        nodes = "".join(self.node_text(node) for node in self.lab.pair)
        groups = self.keys["groups"] or self.group_text()
        yes = {True: "yes", False: "no"}
        self.config.write_text(
            f'cluster {{\n  name = "lab"\n  key_file = "{self.key_file}"\n'
            f'  state_dir = "{self.state_dir}"\n  run_dir = "{self.run_dir}"\n  user = "yoke"\n'
            + (f"  dead_ms = {dead}\n" if dead else "")
            + f'{self.keys["more"].replace("@DIR@", str(self.dir))}}}\n'
            f'{nodes}{groups}'
            f'log {{\n  target = {self.keys["log"]}\n}}\n'
            f'snmp {{\n  enable = {yes[self.keys["snmp"]]}\n  set = {yes[self.keys["snmp_set"]]}\n'
            f'  user = "yoke-snmp"\n  agentx = "{self.dir / "agentx/master"}"\n'
            f'  program = "{self.bin / "yoke-snmp"}"\n}}\n')

    def node_text(self, node):
        address = node.address6 if self.keys["family"] == 6 else node.address
        role = {True: "public", False: "private"}
        to = f'    multicast = "{MULTICAST[self.keys["family"]]}"\n'
        paths = "".join(f'  path "{link}" {{\n    address = "{address(link)}"\n'
                        f'    interface = "{link}"\n{to if link in self.keys["multicast"] else ""}'
                        f'    role = {role[link in self.keys["public"]]}\n  }}\n'
                        for link in self.keys["links"])
        if self.keys["baud"]:
            paths += (f'  path "wire" {{\n    type = serial\n    device = "{node.dir / "tty"}"\n'
                      f'    baud = {self.keys["baud"]}\n  }}\n')
        if self.keys["disk"]:
            paths += (f'  path "platter" {{\n    type = disk\n'
                      f'    device = "{node.dir / self.keys["disk"]}"\n  }}\n')
        return f'node "{node.name}" {{\n{paths}}}\n'

    @staticmethod
    def group_text():
        return ('group "web" {\n  exclusive = no\n  nodes = { "alpha", "beta" }\n'
                f'  resource "vip" {{\n    type = address\n    address = "{SERVICE}/24"\n'
                '    interface = "pub"\n  }\n'
                f'  resource "vip6" {{\n    type = address\n    address = "{SERVICE6}/64"\n'
                '    interface = "pub"\n  }\n}\n')

    def start(self, *wrapper):
        """wrapper: a command to run it under."""
        self.process = self.node.start("yoked", [*wrapper, self.bin / "yoked", "--config",
                                                 self.config, "--node", self.node.name])
        return self

    def is_running(self):
        return bool(self.process) and self.process.is_running()

    def leave(self, timeout=10):
        """A clean leave, as the service manager's stop."""
        return self.process.stop(signal.SIGTERM, timeout)

    def kill_all(self):
        """kill -9 of all of yoke at once; the node and its other processes live."""
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.popen.wait(5)

    def pids(self, role=None):
        """Process numbers of yoke on this node, keeper first; role: engine, saver or snmp."""
        found = []
        for pid in self.node.group.pids():
            command = command_of(pid)
            if not command or pathlib.Path(command[0]).name not in ("yoked", "yoke-snmp"):
                continue
            is_snmp = pathlib.Path(command[0]).name == "yoke-snmp"
            mine = ("snmp" if is_snmp else
                    command[command.index("--role") + 1] if "--role" in command else "keeper")
            if role in (None, mine):
                found.append((mine != "keeper", pid))
        return [pid for _, pid in sorted(found)]

    def engine(self):
        pids = self.pids("engine")
        return pids[0] if pids else None

    def ask(self, request, timeout=1.0):
        """One request and its answer on the control socket."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout)
            s.connect(str(self.socket))
            s.sendall(json.dumps(request).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = s.recv(65536)
                if not part:
                    raise OSError("the engine closed the connection")
                answer += part
        return json.loads(answer)

    def order(self, verb, **parts):
        """An operator's verb on the control socket; it must be accepted."""
        answer = self.ask({"do": verb, "by": "lab", **parts})
        if not answer.get("ok"):
            raise AssertionError(f"{verb} {parts}: {answer}")
        return answer["operation"]

    def status(self):
        return self.ask({"do": "status"})["snapshot"]

    def events(self, after=0):
        """All remembered events with a number above `after`."""
        events = []
        while True:
            answer = self.ask({"do": "events", "after": after})
            if not answer.get("events"):
                return events
            events += answer["events"]
            after = events[-1]["seq"]

    def last_event(self):
        return self.status()["last_event"]

    def has_event(self, kind, after=0, **parts):
        """The first event of a kind after a number; parts: members that must match."""
        if kind not in EVENTS:
            raise LabError(f"there is no event of kind {kind}")
        for event in self.events(after):
            if event["kind"] == kind and all(event.get(k) == v for k, v in parts.items()):
                return event
        return None

    def cli(self, *arguments, timeout=40):
        """The yoke command, as the operator would give it on this node."""
        return self.node.try_run(self.bin / "yoke", "--socket", self.socket, *arguments,
                                 timeout=timeout)

    def group(self, name="web"):
        return next(g for g in self.status()["groups"] if g["name"] == name)

    def is_busy(self):
        """Does an operation run, as this node sees it?"""
        return any(o["state"] in ("pending", "running") for o in self.status()["operations"])

    def peer_state(self, name):
        return next(n for n in self.status()["nodes"] if n["name"] == name)["state"]

    def path(self, name):
        return next(p for p in self.status()["paths"] if p["name"] == name)

    def is_settled(self, owner):
        """Both nodes online, the group runs on owner, and the other could take it over."""
        status = self.status()
        group = next(g for g in status["groups"] if g["name"] == "web")
        return (all(n["state"] == "online" and not n["standby"] for n in status["nodes"])
                and group["owner_name"] == owner.name and group["state"] == "started"
                and all(m["ready"] or m["node"] == group["owner"] for m in status["members"])
                and all(p["state"] == "up" for p in status["paths"]))


def command_of(pid):
    try:
        raw = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode(errors="replace") for part in raw.split(b"\0") if part]


class Cluster:
    """yoke on both nodes, with the service's echo."""

    def __init__(self, lab, start=True, **keys):
        self.lab = lab
        key = os.urandom(32).hex()
        self.alpha, self.beta = (Yoke(node, key, **keys) for node in lab.pair)
        self.by_name = {"alpha": self.alpha, "beta": self.beta}
        if start:
            self.alpha.start()
            self.settle(self.lab.alpha, beta=False)
            self.beta.start()
            self.settle(self.lab.alpha)

    def __getitem__(self, node):
        return self.by_name[node if isinstance(node, str) else node.name]

    def other(self, node):
        return self[self.lab.other(self[node].node)]

    def settle(self, owner=None, beta=True, timeout=20):
        """Until all is well; on a given owner, if it matters.  Returns the owner's Yoke."""
        if not beta:
            wait_until(lambda: owner.has(), timeout, f"{owner.name} alone has {SERVICE}")
            return self[owner]

        def is_settled():
            at = owner or self.lab.owner()
            return at and all(y.is_settled(at) for y in self.by_name.values()) and self[at]
        what = f"both nodes online, web started on {owner.name if owner else 'one'}"
        return wait_until(is_settled, timeout, what, every=0.05)

    def switch(self, node):
        """Make a node the owner and wait until it is."""
        if self.lab.owner() is not node:
            self[node].order("switch", group="web", node=node.name)
        return self.settle(node)

    def check_events(self):
        """Each has the number after the one before it, over restarts too, and none is missing: the
        table has all, or as many as it holds."""
        for name, yoke in self.by_name.items():
            if not yoke.is_running():
                continue
            seen = [event["seq"] for event in wait_until(yoke.events, 5, f"the events of {name}")]
            gaps = [pair for pair in zip(seen, seen[1:]) if pair[1] != pair[0] + 1]
            assert not gaps and (seen[0] == 1 or len(seen) == EVENTS_MAX), \
                f"{name} lost events, in this test or one before: {seen[0]}..{seen[-1]}, {gaps}"

    def stop(self):
        try:
            self.check_events()
        finally:
            for yoke in self.by_name.values():
                if yoke.is_running():
                    yoke.leave()


def snmp_environment(folder):
    """Own configuration, own persistent files: nothing of /etc/snmp and /var/lib/snmp."""
    persist = folder / "persist"
    return ["env", f"SNMPCONFPATH={folder}:{persist}", f"SNMP_PERSISTENT_DIR={persist}", "MIBS="]


class Snmpd:
    """A stock snmpd on a node with the sample configuration, as Debian's service starts it."""

    USER = "Debian-snmp"

    def __init__(self, node, more=""):
        self.node = node
        self.dir = node.dir / "snmp"
        self.agentx = node.dir / "agentx" / "master"
        self.process = None
        persist = self.dir / "persist"
        persist.mkdir(parents=True, exist_ok=True)
        for folder in (self.dir, persist):
            shutil.chown(folder, self.USER, self.USER)
        text = sample("snmpd.conf",
                      (r"^agentAddress .*", f"agentAddress udp:{node.address()}:161"),
                      (r"^agentXSocket .*", f"agentXSocket {self.agentx}"),
                      (r"udp:192\.0\.2\.5:162", f"udp:{node.lab.client.address()}:162"))
        engine = f"exactEngineID 0x80001f8804{node.name.encode().hex()}\n"
        (self.dir / "snmpd.conf").write_text(text + engine + more)

    def start(self):
        self.agentx.unlink(missing_ok=True)
        self.process = self.node.start("snmpd", [
            *snmp_environment(self.dir), "snmpd", "-f", "-LOw", "-u", self.USER, "-g", self.USER,
            "-I", "-smux,mteTrigger,mteTriggerConf"])
        wait_until(self.agentx.exists, 10, f"snmpd on {self.node.name} opens {self.agentx}")
        return self

    def stop(self):
        self.process.stop()


class Trapd:
    """snmptrapd on the client with the sample configuration."""

    def __init__(self, node):
        self.node = node
        self.dir = node.dir / "trap"
        (self.dir / "persist").mkdir(parents=True, exist_ok=True)
        text = sample("snmptrapd.conf",
                      (r"^snmpTrapdAddr .*", f"snmpTrapdAddr udp:{node.address()}:162"))
        (self.dir / "snmptrapd.conf").write_text(text + "format2 TRAP\\t%b\\t%v\\n\n")
        self.process = node.start("snmptrapd", [*snmp_environment(self.dir), "snmptrapd", "-f",
                                                "-Lo", "-n", "-OQn"])
        wait_until(lambda: "NET-SNMP version" in self.process.text(), 10, "snmptrapd runs")

    def traps(self):
        """Every trap so far: {"from": address, oid: value...}."""
        traps = []
        for line in self.process.text().splitlines():
            if not line.startswith("TRAP\t"):
                continue
            _, source, *bindings = line.split("\t")
            trap = {"from": re.search(r"\[([^\]]+)\]", source).group(1)}
            for binding in bindings:
                oid, _, value = binding.partition(" = ")
                trap[oid.strip(" .")] = value.strip().strip('"')
            traps.append(trap)
        return traps

    def kinds(self, mib, since=0):
        """Names of the notifications that arrived, from number `since` on."""
        return [mib.name(trap.get(TRAP_OID, "").lstrip(".")) for trap in self.traps()[since:]]


class Manager:
    """The management station: SNMP requests from the client."""

    def __init__(self, lab, mib):
        self.lab, self.mib = lab, mib

    def request(self, program, node, *arguments, user="yoke-read", timeout=1, retries=1):
        return self.lab.client.try_run(program, *v3_arguments(user), "-t", timeout, "-r", retries,
                                       "-OnQe", f"udp:{node.address()}:161", *arguments, env=QUIET)

    def get(self, node, oid, **options):
        """The value as text; None when there is no answer or no such object."""
        done = self.request("snmpget", node, oid, **options)
        value = done.stdout.partition(" = ")[2].strip()
        return None if done.returncode or value.startswith("No ") else value.strip('"')

    def get_next(self, node, oid, **options):
        """Does anything below oid answer?"""
        done = self.request("snmpgetnext", node, oid, **options)
        return not done.returncode and done.stdout.startswith(f".{oid}.")

    def walk(self, node, oid, **options):
        """OID -> value of everything below oid."""
        done = self.request("snmpwalk", node, oid, **options)
        rows = re.findall(r"^\.([0-9.]+) = (.*(?:\n(?!\.[0-9]).*)*)", done.stdout, re.M)
        return {oid: value.strip().strip('"') for oid, value in rows}

    def set(self, node, *bindings, user="yoke-oper", **options):
        """bindings: oid, type letter, value...; returns the finished snmpset."""
        return self.request("snmpset", node, *bindings, user=user, **options)


class Keepalived:
    """keepalived on one node, the same address, adverts on the first private link."""

    def __init__(self, node, advert_s, agentx=None, unicast=False):
        other = node.lab.other(node).address("red")
        peer = f"  unicast_peer {{\n    {other}\n  }}\n" if unicast else ""
        self.node = node
        self.config = node.dir / "keepalived.conf"
        self.agentx = agentx
        self.process = None
        self.config.write_text(
            f"global_defs {{\n  router_id {node.name}\n  vrrp_version 3\n  vrrp_rt_priority 50\n"
            "  vrrp_rlimit_rttime 10000000\n"
            + (f"  enable_snmp_vrrp\n  enable_snmp_rfcv3\n  enable_traps\n  snmp_socket {agentx}\n"
               if agentx else "")
            + "}\nvrrp_instance web {\n  state BACKUP\n  nopreempt\n  interface red\n"
            f"  virtual_router_id 51\n  priority {150 - node.number}\n"
            f"  advert_int {advert_s}\n{peer}"
            f"  virtual_ipaddress {{\n    {SERVICE}/24 dev pub\n  }}\n}}\n")

    def start(self):
        pids = [self.node.dir / f"keepalived{part}.pid" for part in ("", "-vrrp", "-check")]
        for pid in pids:
            pid.unlink(missing_ok=True)
        self.process = self.node.start("keepalived", [
            "keepalived", "-n", "-l", "-P", "-f", self.config, "-p", pids[0], "-r", pids[1],
            "-c", pids[2], *(["-x"] if self.agentx else [])])
        return self

    def pids(self):
        return [pid for pid in self.node.group.pids()
                if command_of(pid)[:1] and pathlib.Path(command_of(pid)[0]).name == "keepalived"]

    def daemon(self):
        """The process that does the work: the child."""
        return next((pid for pid in self.pids() if pid != self.process.pid), None)

    def stop(self):
        self.process.stop()
