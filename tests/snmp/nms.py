"""snmpd, snmptrapd, yoke-snmp and the net-snmp tools, as a test needs them: unprivileged ports on
127.0.0.1, all files in one directory, nothing of /etc/snmp."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("YOKE_BUILD", TOP / "build"))
ROOT = "." + os.environ.get("YOKE_OID", "1.3.6.1.4.1.8072.9999.9999.4747")
SECRET = "a-secret-of-the-test"
SEPARATOR = "\x1f"


def wait_until(condition, timeout_s=10.0, what="condition"):
    """Wait until condition() is true; return what it returned and the seconds it took."""
    start = time.monotonic()
    while True:
        value = condition()
        if value:
            return value, time.monotonic() - start
        if time.monotonic() - start > timeout_s:
            raise AssertionError(f"not within {timeout_s} s: {what}")
        time.sleep(0.02)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Process:
    """A program that can be killed, stopped, and started again."""

    def __init__(self, arguments, log, **environment):
        self.arguments = [str(argument) for argument in arguments]
        self.log = pathlib.Path(log)
        self.environment = dict(os.environ, MIBS="", **{k: str(v) for k, v in environment.items()})
        self.process = None
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=self.environment)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()

    def rss_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


class Nms:
    """snmpd with users `reader` and `operator` (authPriv), and a snmptrapd that it sends to."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.port, self.trap_port = free_port(), free_port()
        self.agentx = self.directory / "agentx"
        for name in ("snmpd", "snmptrapd"):
            (self.directory / name / "persist").mkdir(parents=True)
        (self.directory / "snmpd" / "snmpd.conf").write_text(f"""
agentaddress udp:127.0.0.1:{self.port}
exactEngineID 0x80001f88046e6f646531
master agentx
dontLogTCPWrappersConnects yes
agentXSocket {self.agentx}
createUser reader SHA-256 "{SECRET}" AES "{SECRET}"
createUser operator SHA-256 "{SECRET}" AES "{SECRET}"
view yokeRead included {ROOT}
view yokeRead included .1.3.6.1.2.1.1
view yokeWrite included {ROOT}.1.9
group readers usm reader
group operators usm operator
access readers "" usm priv exact yokeRead none none
access operators "" usm priv exact yokeRead yokeWrite none
trapsess -v 2c -c public 127.0.0.1:{self.trap_port}
""")
        (self.directory / "snmptrapd" / "snmptrapd.conf").write_text("disableAuthorization yes\n")
        self.traps_file = self.directory / "traps"
        self.snmptrapd = self.daemon("snmptrapd", "-On", "-F", f"TRAP%V{SEPARATOR}%{SEPARATOR}%v\n",
                                     "-Lf", self.traps_file, f"udp:127.0.0.1:{self.trap_port}")
        wait_until(lambda: "TRAP" in self.raw_traps() or self.probe_trap(), 10, "snmptrapd")
        self.probes = len(self.all_traps())
        self.snmpd = self.daemon("snmpd", "-Lf", self.directory / "snmpd.log", "-p",
                                 self.directory / "snmpd.pid")
        wait_until(self.answers, 10, "snmpd")

    def daemon(self, name, *arguments):
        files = self.directory / name
        return Process([f"/usr/sbin/{name}", "-f", "-n" if name == "snmptrapd" else "-r",
                        *arguments], self.directory / f"{name}.out",
                       SNMPCONFPATH=f"{files}:{files}/persist",
                       SNMP_PERSISTENT_DIR=f"{files}/persist")

    def probe_trap(self):
        self.tool("snmptrap", "-v", "2c", "-c", "public", f"127.0.0.1:{self.trap_port}", "",
                  ".1.3.6.1.6.3.1.1.5.1")
        return "TRAP" in self.raw_traps()

    def raw_traps(self):
        return self.traps_file.read_text(errors="replace") if self.traps_file.exists() else ""

    def all_traps(self):
        """Each notification as a dict: identifier below the root (or whole) -> value."""
        traps = []
        for text in self.raw_traps().split("TRAP")[1:]:
            pairs = [pair.split(" = ", 1) for pair in text.strip().split(SEPARATOR)
                     if " = " in pair]
            traps.append({shorten(name.strip()): clean(value) for name, value in pairs})
        return traps

    def traps(self):
        """The yoke notifications, by number below yokeNotifications, in the order they came."""
        found = []
        for trap in self.all_traps():
            identity = trap.get(".1.3.6.1.6.3.1.1.4.1.0", "")
            if identity.startswith(ROOT + ".0."):
                found.append(dict(trap, notification=int(identity.rsplit(".", 1)[1])))
        return found

    def event_numbers(self):
        return [int(value) for trap in self.traps() for name, value in trap.items()
                if name.startswith("1.10.1.2.")]

    def tool(self, name, *arguments):
        return subprocess.run([name, *map(str, arguments)], capture_output=True, text=True,
                              env=dict(os.environ, MIBS="", SNMPCONFPATH="/nonexistent",
                                       SNMP_PERSISTENT_DIR=str(self.directory / "client")),
                              timeout=60, check=False)

    def ask(self, name, *arguments, user="reader", timeout_s=2):
        return self.tool(name, "-v", "3", "-l", "authPriv", "-u", user, "-a", "SHA-256", "-A",
                         SECRET, "-x", "AES", "-X", SECRET, "-On", "-Oe", "-OU", "-Ot", "-r", "0",
                         "-t", timeout_s, f"127.0.0.1:{self.port}", *arguments)

    def answers(self):
        return "=" in self.ask("snmpget", ".1.3.6.1.2.1.1.3.0", timeout_s=1).stdout

    def get(self, name, timeout_s=2):
        """Value of an instance below the root; None when there is none, or no answer."""
        result = self.ask("snmpget", f"{ROOT}.{name}", timeout_s=timeout_s).stdout
        if " = " not in result or "No Such" in result or "No more" in result:
            return None
        return clean(result.split(" = ", 1)[1])

    def walk(self, name="1", tool="snmpwalk"):
        """Everything below: identifier below the root -> value."""
        result = self.ask(tool, f"{ROOT}.{name}")
        lines = re.split(r"\n(?=\.1)", result.stdout.strip())
        pairs = [line.split(" = ", 1) for line in lines if " = " in line and "No " not in line]
        return {shorten(pair[0]): clean(pair[1]) for pair in pairs}

    def set(self, *varbinds, user="operator"):
        """varbinds: name, type, value.  Returns "" or the name of the SNMP error."""
        flat = [part for name, kind, value in varbinds for part in (f"{ROOT}.{name}", kind, value)]
        result = self.ask("snmpset", *flat, user=user)
        if result.returncode == 0:
            return ""
        reason = re.search(r"Reason: \(?(\w+)", result.stderr)
        return reason[1] if reason else result.stderr.strip()

    def stop(self):
        self.snmpd.stop()
        self.snmptrapd.stop()


def shorten(name):
    return name[len(ROOT) + 1:] if name.startswith(ROOT + ".") else name


def clean(value):
    """'Gauge32: 5 units' is '5'; a quoted string loses its quotes."""
    value = value.strip()
    value = re.sub(r"^[A-Za-z0-9-]+( [A-Z]+)?: ", "", value)
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


class Subagent(Process):
    def __init__(self, directory, nms, socket_path, *arguments):
        directory = pathlib.Path(directory)
        self.state = directory / "delivered"
        super().__init__([BUILD / "yoke-snmp", "--socket", socket_path, "--agentx", nms.agentx,
                          "--state", self.state, "--log-stderr", *arguments],
                         directory / "yoke-snmp.log")
