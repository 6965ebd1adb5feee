"""tests/lab/lab.py - two nodes and a client in network namespaces, and all that can go wrong.

            alpha                      beta               client      mallory
        red  blue  pub             red  blue  pub           pub       red  blue
         |    |     |               |    |     |             |         |     |
      ===+====|=====|==== red ======+====|=====|=============|=========+     |
      ========+=====|==== blue ==========+=====|=============|===============+
      ==============+==== pub =================+=============+

Every link goes through a bridge in a namespace of its own, the switch.  A cut is made there, so
that the survivor keeps its carrier, as with two real machines on one real switch.  mallory is a
stranger on the private links; nothing runs there unless a test starts it.

Reading order: Lab (namespaces and faults), Node (processes, power), then measure.py (probe, owners,
frames) and service.py (yoke, snmpd, snmptrapd, keepalived on a node).

    with Lab("try") as lab:
        lab.alpha.start("sleep", ["sleep", "100"])
        lab.block("red", "alpha", "beta")      # one way: beta hears nothing from alpha on red
        lab.alpha.power_cut()

Everything is removed at the end, also after Ctrl-C, SIGTERM and exceptions; what an earlier lab
left behind when it was killed outright is removed at the next start.
"""

import atexit
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("YOKE_BUILD", TOP / "build"))
PREFIX = "ykl"
LINKS = ("red", "blue", "pub")
SUBNET = {"red": "10.1.0", "blue": "10.2.0", "pub": "10.9.0"}
SUBNET6 = {"red": "fd01::", "blue": "fd02::", "pub": "fd09::"}
HOST = {"alpha": 1, "beta": 2, "client": 9, "mallory": 13}
ON = {"alpha": LINKS, "beta": LINKS, "client": ("pub",), "mallory": ("red", "blue")}
SERVICE = "10.9.0.100"
SERVICE6 = "fd09::100"
ECHO_PORT = 4000


class LabError(Exception):
    """The lab itself, not the product, cannot go on."""


def now():
    """Seconds on the monotonic clock, the same in every process of the machine."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def wait_until(condition, timeout, what, every=0.02):
    """Ask condition() until it is true and return its value; explain what was awaited if not."""
    started = now()
    seen = None
    while True:
        try:
            value = condition()
        except (OSError, KeyError, IndexError, ValueError) as error:
            value, seen = None, repr(error)
        if value:
            return value
        if now() - started > timeout:
            more = f" (last error: {seen})" if seen else ""
            raise AssertionError(f"not within {timeout} s: {what}{more}")
        time.sleep(every)


def run(*command, check=True, **options):
    """Run a command, return its output; its error text is in the exception."""
    done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, **options)
    if check and done.returncode:
        raise LabError(f"{' '.join(map(str, command))}: exit {done.returncode}: "
                       f"{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def require_root():
    if os.geteuid() != 0:
        sys.exit("lab: network namespaces need root: run this as root (sudo)")
    missing = [tool for tool in ("ip", "nft", "nsenter") if not shutil.which(tool)]
    if missing:
        sys.exit(f"lab: missing programs: {', '.join(missing)}; "
                 "'sh tests/packages.sh demo' installs them")


def probe_program():
    """Build tests/lab/probe.c when it is newer than its program."""
    source = TOP / "tests/lab/probe.c"
    program = BUILD / "tests/lab/probe"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(parents=True, exist_ok=True)
        run(os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra",
            "-Werror", "-o", program, source)
    return program


class LinkSwitch:
    """Sets links up and down inside one namespace through a socket that is already open there: one
    system call for any number of links, where `ip` would take milliseconds each to start."""

    RTM_NEWLINK, NLM_F_REQUEST, IFF_UP, CLONE_NEWNET = 16, 1, 1, 0x40000000

    def __init__(self, space, names):
        self.space, self.names = space, names
        self.look()
        self.socket = None
        thread = threading.Thread(target=self.open, args=(space,))
        thread.start()
        thread.join()
        if not self.socket:
            raise LabError(f"cannot open a netlink socket in {space}")

    def look(self):
        """Which number has each port now?  A card that was changed has another one."""
        index = {link["ifname"]: link["ifindex"]
                 for link in json.loads(run("ip", "-n", self.space, "-j", "link", "show"))}
        self.index = {name: index[name] for name in self.names}

    def open(self, space):
        """Runs in a thread of its own, because only a thread can be in another namespace."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{space}", "rb") as handle:
            if libc.setns(handle.fileno(), self.CLONE_NEWNET) == 0:
                self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)

    def set(self, names, is_up):
        flags = self.IFF_UP if is_up else 0
        batch = b"".join(struct.pack("=IHHIIBxHiII", 32, self.RTM_NEWLINK, self.NLM_F_REQUEST, 0, 0,
                                     0, 0, self.index[name], flags, self.IFF_UP)
                         for name in names)
        self.socket.send(batch)


class Process:
    """One process that the lab started on a node, with its log file."""

    def __init__(self, node, name, command, log):
        self.node, self.name, self.command, self.log = node, name, command, log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          start_new_session=True, close_fds=True)
        self.pid = self.popen.pid

    def is_running(self):
        return self.popen.poll() is None

    def send_signal(self, number):
        if self.is_running():
            os.kill(self.pid, number)

    def stop(self, number=signal.SIGTERM, timeout=5):
        """End it; the hard way when it does not listen."""
        self.send_signal(number)
        self.send_signal(signal.SIGCONT)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.send_signal(signal.SIGKILL)
            return self.popen.wait(timeout)

    def text(self):
        return pathlib.Path(self.log).read_text(errors="replace")


class Group:
    """A control group of one node: kills or freezes all of its processes in one system call.  Where
    there is no cgroup v2, the processes are found by their network namespace."""

    def __init__(self, name, space):
        self.space = space
        self.path = None
        for line in pathlib.Path("/proc/mounts").read_text().splitlines():
            _, mount, kind = line.split()[:3]
            if kind == "cgroup2":
                path = pathlib.Path(mount) / name
                try:
                    path.mkdir()
                    if (path / "cgroup.kill").exists() and (path / "cgroup.freeze").exists():
                        self.path = path
                        return
                    path.rmdir()
                except OSError:
                    continue

    def wrap(self, command):
        if not self.path:
            return command
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self.path / "cgroup.procs"), *command]

    def pids(self):
        return [int(pid) for pid in run("ip", "netns", "pids", self.space, check=False).split()]

    def signal_all(self, number):
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        if self.path:
            (self.path / "cgroup.freeze").write_text("0")
            (self.path / "cgroup.kill").write_text("1")
        else:
            self.signal_all(signal.SIGKILL)

    def freeze(self, is_frozen):
        if self.path:
            (self.path / "cgroup.freeze").write_text("1" if is_frozen else "0")
        else:
            self.signal_all(signal.SIGSTOP if is_frozen else signal.SIGCONT)

    def remove(self):
        self.kill()
        deadline = now() + 5
        while self.pids() and now() < deadline:
            self.signal_all(signal.SIGKILL)
            time.sleep(0.01)
        while self.path and self.path.exists() and now() < deadline:
            try:
                self.path.rmdir()
            except OSError:
                time.sleep(0.01)


class Node:
    """A machine: a namespace, its processes, its cables, its power."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.number = HOST[name]
        self.space = f"{lab.prefix}-{name}"
        self.dir = lab.dir / name
        self.links = ON[name]
        self.processes = {}
        self.off_since = None
        self.off = []  # (from, to) in seconds: when it had no power
        self.dir.mkdir()
        self.dir.chmod(0o755)
        run("ip", "netns", "add", self.space)
        self.group = Group(self.space, self.space)

    def address(self, link="pub"):
        return f"{SUBNET[link]}.{self.number}"

    def address6(self, link="pub"):
        return f"{SUBNET6[link]}{self.number}"

    def port(self, link):
        """The switch's end of a link's cable."""
        return f"{link}-{self.name}"

    def connect(self):
        run("ip", "-n", self.space, "link", "set", "lo", "up")
        for link in self.links:
            self.add_card(link)

    def add_card(self, link):
        switch = self.lab.switch
        run("ip", "link", "add", link, "netns", self.space, "type", "veth",
            "peer", "name", self.port(link), "netns", switch)
        run("ip", "-n", switch, "link", "set", self.port(link), "master", f"br-{link}", "up")
        self.ip(f"address add {self.address(link)}/24 dev {link}",
                f"address add {self.address6(link)}/64 dev {link} nodad",
                f"link set {link} up")

    def remove_card(self, link):
        """The interface vanishes, as when its driver is unloaded; add_card() brings another."""
        self.ip(f"link del {link}")

    def ip(self, *lines):
        run("ip", "-n", self.space, "-batch", "-", input="\n".join(lines) + "\n")

    def enter(self, command):
        return ["nsenter", f"--net=/run/netns/{self.space}", "--",
                *self.group.wrap([str(part) for part in command])]

    def start(self, name, command):
        """Start a process; its output goes to NAME.log in the node's folder."""
        self.processes[name] = Process(self, name, self.enter(command), self.dir / f"{name}.log")
        return self.processes[name]

    def run(self, *command, **options):
        """Run a command to its end, return its output."""
        return run(*self.enter(command), **options)

    def try_run(self, *command, timeout=30, **options):
        """Run a command to its end, return the finished process whatever its exit code."""
        return subprocess.run(self.enter(command), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, timeout=timeout, **options)

    def addresses(self):
        """All addresses of the node, without prefix lengths."""
        links = json.loads(run("ip", "-n", self.space, "-j", "address", "show"))
        return {info["local"] for link in links for info in link.get("addr_info", [])
                if "local" in info}

    def has(self, address=SERVICE):
        return address in self.addresses()

    def own(self):
        return {made(link) for link in self.links for made in (self.address, self.address6)}

    def power_cut(self):
        """Every process dead and every cable without power at the same instant."""
        ports = [self.port(link) for link in reversed(self.links)]
        at = now()
        self.group.kill()
        self.lab.ports.set(ports, False)
        self.off_since = at
        for process in self.processes.values():
            process.popen.wait(5)
        self.processes = {}
        self.forget()
        return at

    def forget(self):
        """What a machine does not remember over a power cut: addresses added at run time."""
        batch = []
        for link in json.loads(run("ip", "-n", self.space, "-j", "address", "show")):
            for info in link.get("addr_info", []):
                if info.get("scope") == "global" and info["local"] not in self.own():
                    batch.append(f"address del {info['local']}/{info['prefixlen']} "
                                 f"dev {link['ifname']}")
        batch += [f"neighbour flush dev {link}" for link in self.links]
        run("ip", "-n", self.space, "-force", "-batch", "-", input="\n".join(batch) + "\n",
            check=False)

    def power_on(self):
        """Cables have power again; starting processes is the caller's."""
        self.forget()
        self.lab.ports.set([self.port(link) for link in self.links], True)
        if self.off_since is not None:
            self.off.append((self.off_since, now()))
            self.off_since = None

    def pause(self):
        """The whole machine stands still, as a virtual machine that is being moved: its kernel
        answers nothing either, which only the switch can do for a namespace."""
        for link in self.links:
            self.lab.cut(link, self.name)
        self.group.freeze(True)

    def resume(self):
        """Let it go on (and heal every other cut)."""
        self.group.freeze(False)
        self.lab.heal()

    def carrier(self, link, is_up):
        """Pull or plug the cable: the node sees it."""
        self.lab.ports.set([self.port(link)], is_up)

    def restore(self):
        """Plug in every cable, power and processes as they come: undo faults, start nothing."""
        self.resume()
        if self.off_since is not None:
            self.power_on()
        self.lab.ports.set([self.port(link) for link in self.links], True)

    def close(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGKILL)
        self.group.remove()
        for process in self.processes.values():
            process.popen.wait(5)
        run("ip", "netns", "del", self.space, check=False)


class Lab:
    """The machines and the switch between them."""

    def __init__(self, name="lab"):
        require_root()
        self.name = name
        self.prefix = f"{PREFIX}{os.getpid()}"
        self.switch = f"{self.prefix}-switch"
        self.failed = False
        self.nodes = {}
        self.rules = []
        self.closed = False
        sweep()
        self.probe = probe_program()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"yoke-{name}-"))
        self.dir.chmod(0o755)
        fast = pathlib.Path("/dev/shm")
        # Measurements are written to memory: a disk that is busy would show as a gap.
        fast = fast if fast.is_dir() else None
        self.fast = pathlib.Path(tempfile.mkdtemp(prefix="yoke-", dir=fast))
        self.old_term = None
        atexit.register(self.close)

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self.old_term = signal.signal(signal.SIGTERM, interrupt)
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        self.failed = self.failed or (kind is not None and kind is not KeyboardInterrupt)
        self.close()
        if self.old_term is not None:
            signal.signal(signal.SIGTERM, self.old_term)

    def open(self):
        run("ip", "netns", "add", self.switch)
        for link in LINKS:
            run("ip", "-n", self.switch, "link", "add", f"br-{link}", "type", "bridge",
                "mcast_snooping", "0")
            run("ip", "-n", self.switch, "link", "set", f"br-{link}", "up")
        for name in HOST:
            self.nodes[name] = Node(self, name)
            self.nodes[name].connect()
        self.ports = LinkSwitch(self.switch, [node.port(link) for node in self.nodes.values()
                                              for link in node.links])

    alpha = property(lambda self: self.nodes["alpha"])
    beta = property(lambda self: self.nodes["beta"])
    client = property(lambda self: self.nodes["client"])
    mallory = property(lambda self: self.nodes["mallory"])

    @property
    def pair(self):
        return (self.alpha, self.beta)

    def other(self, node):
        return self.beta if node is self.alpha else self.alpha

    def owners(self, address=SERVICE):
        """The powered nodes that have the address now."""
        return [node for node in self.pair if node.off_since is None and node.has(address)]

    def owner(self, address=SERVICE):
        """The one owner; None when there is none or more than one."""
        found = self.owners(address)
        return found[0] if len(found) == 1 else None

    def block(self, link, source=None, target=None, percent=100):
        """Drop frames on the switch, from one machine (default: any) to another (default: any)."""
        ports = [source] if source else [name for name in ON if link in ON[name]]
        for port in ports:
            rule = f'iifname "{link}-{port}" '
            rule += f'oifname "{link}-{target}" ' if target else ""
            rule += f"numgen random mod 100 < {percent} " if percent < 100 else ""
            self.rules.append(rule + "drop")
        self.apply()

    def cut(self, link, name):
        """Nothing goes to or from a machine on a link; no carrier changes."""
        self.rules += [f'iifname "{link}-{name}" drop', f'oifname "{link}-{name}" drop']
        self.apply()

    def split(self, links=LINKS):
        """The two nodes do not hear each other on these links; the client hears both."""
        for link in links:
            self.rules += [f'iifname "{link}-alpha" oifname "{link}-beta" drop',
                           f'iifname "{link}-beta" oifname "{link}-alpha" drop']
        self.apply()

    def heal(self):
        """Undo block, cut and split."""
        self.rules = []
        self.apply()

    def apply(self):
        text = "".join(f"    {rule}\n" for rule in self.rules)
        rules = ("table bridge lab\ndelete table bridge lab\ntable bridge lab {\n"
                 "  chain forward {\n    type filter hook forward priority 0; policy accept;\n"
                 f"{text}  }}\n}}\n")
        run("nsenter", f"--net=/run/netns/{self.switch}", "--", "nft", "-f", "-", input=rules)

    def hub(self, link, is_hub):
        """A hub repeats every frame to every port: mallory hears all."""
        run("ip", "-n", self.switch, "link", "set", f"br-{link}", "type", "bridge",
            "ageing_time", "0" if is_hub else "30000")

    def restore(self):
        self.heal()
        for node in self.nodes.values():
            node.restore()

    def close(self):
        if self.closed:
            return
        self.closed = True
        # A second Ctrl-C must not leave half of the lab behind.
        is_main = threading.current_thread() is threading.main_thread()
        old = signal.signal(signal.SIGINT, signal.SIG_IGN) if is_main else None
        try:
            for node in self.nodes.values():
                node.close()
            run("ip", "netns", "del", self.switch, check=False)
            shutil.rmtree(self.fast, ignore_errors=True)
            if self.failed:
                print(f"\nlab: logs are kept in {self.keep_logs()}", file=sys.stderr)
            shutil.rmtree(self.dir, ignore_errors=True)
        finally:
            if is_main:
                signal.signal(signal.SIGINT, old)

    def keep_logs(self):
        kept = BUILD / "lab" / self.name
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for log in self.dir.glob("*/*"):
            if log.is_file() and log.suffix in (".log", ".conf"):
                (kept / log.parent.name).mkdir(exist_ok=True)
                shutil.copy(log, kept / log.parent.name / log.name)
        return kept


def interrupt(_number, _frame):
    raise KeyboardInterrupt


def sweep():
    """Remove what labs left behind that were killed outright: their process is gone."""
    spaces = run("ip", "netns", "list", check=False).split("\n")
    for space in (line.split()[0] for line in spaces if line.startswith(PREFIX)):
        pid = space[len(PREFIX):].split("-")[0]
        if pid.isdigit() and not pathlib.Path(f"/proc/{pid}").exists():
            Group(space, space).remove()
            run("ip", "netns", "del", space, check=False)
