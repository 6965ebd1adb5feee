"""`make install` and `make uninstall`: the latter leaves nothing of the former."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess

import pytest

from lab import BUILD, TOP, wait_until


def make(*arguments):
    done = subprocess.run(["make", "-C", str(TOP), *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    assert done.returncode == 0, done.stdout
    return done.stdout


def files(folder):
    return {path.relative_to(folder).as_posix() for path in pathlib.Path(folder).rglob("*")
            if not path.is_dir()}


def test_install_and_uninstall(tmp_path):
    stage = tmp_path / "stage"
    arguments = [f"DESTDIR={stage}", "PREFIX=/usr", f"B={os.path.relpath(BUILD, TOP)}"]
    make("install", *arguments)
    found = files(stage)
    for wanted in ("/yoked", "/yoke", "/yoke-snmp", "YOKE-MIB.txt", "yoked.service",
                   "yoked-witness.service",
                   *(f"doc/yoke/{file.name}" for file in (TOP / "conf/sample").glob("*.conf"))):
        assert any(name.endswith(wanted) for name in found), f"{wanted} not among {sorted(found)}"
    assert any("man/" in name for name in found), "no manual pages"
    for name in found:
        path = stage / name
        assert not path.stat().st_mode & 0o022, f"{name} is writable for others"
        if "bin/" in name:
            assert os.access(path, os.X_OK)
    program = next(stage / name for name in found if name.endswith("bin/yoke"))
    assert subprocess.run([program, "version"], capture_output=True, check=False).returncode == 0
    make("uninstall", *arguments)
    assert files(stage) == set()


def test_install_keeps_a_configuration_that_is_there(tmp_path):
    """What a person wrote survives both verbs."""
    stage = tmp_path / "stage"
    arguments = [f"DESTDIR={stage}", "PREFIX=/usr", f"B={os.path.relpath(BUILD, TOP)}"]
    config = stage / "etc/yoke/yoke.conf"
    config.parent.mkdir(parents=True)
    config.write_text("mine\n")
    make("install", *arguments)
    assert config.read_text() == "mine\n"
    make("uninstall", *arguments)
    assert config.read_text() == "mine\n"
    assert files(stage) == {"etc/yoke/yoke.conf"}


def unit_keys(text):
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.M))


@pytest.mark.parametrize("name", ["yoked", "yoked-witness"])
def test_unit_is_one(tmp_path, name):
    """It starts the program that was installed, and systemd, if it is here, has no complaint."""
    stage = tmp_path / "stage"
    make("install", f"DESTDIR={stage}", "PREFIX=/opt/yoke", f"B={os.path.relpath(BUILD, TOP)}")
    text = (stage / f"lib/systemd/system/{name}.service").read_text()
    assert unit_keys(text)["ExecStart"].split()[0] == "/opt/yoke/sbin/yoked"
    if shutil.which("systemd-analyze"):
        copy = tmp_path / f"{name}.service"
        copy.write_text(text.replace("/opt/yoke", f"{stage}/opt/yoke"))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                               copy], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and name not in done.stderr, done.stderr


def test_unit_of_the_witness_fits_its_configuration():
    """Whom and where: the unit, the users that an install makes, and the defaults of the sample."""
    unit = unit_keys((TOP / "conf/sample/yoked-witness.service").read_text())
    sample = (TOP / "conf/sample/witness.conf").read_text()
    users = (TOP / "conf/sample/yoke.sysusers").read_text()
    assert f'user = "{unit["User"]}"' in sample
    assert f'state_dir = "/var/lib/{unit["StateDirectory"]}"' in sample
    assert re.search(rf"^u {unit['User']} ", users, re.M)


def test_witness_that_root_starts_gives_up_root(tmp_path):
    """Without the unit: it makes its folder, and is the user of the sample before it is asked."""
    config, key, state, log = (tmp_path / name for name in ("conf", "key", "state", "log"))
    key.touch(0o600)
    key.write_text("42" * 32 + "\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config.write_text(f'witness {{\n  address = "127.0.0.1"\n  port = {port}\n'
                      f'  state_dir = "{state}"\n}}\n'
                      f'cluster "demo" {{\n  key_file = "{key}"\n}}\n')
    with log.open("wb") as out:
        witness = subprocess.Popen([BUILD / "yoked", "--witness", "--config", config], stdout=out,
                                   stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "for 1 clusters" in log.read_text(), 5, "the witness runs")
        uid = pwd.getpwnam("yoke-witness").pw_uid
        status = pathlib.Path(f"/proc/{witness.pid}/status").read_text()
        assert re.search(rf"^Uid:\t{uid}\t{uid}\t{uid}\t", status, re.M), status
        assert re.search(r"^CapPrm:\t0+$", status, re.M), status
        assert (state.stat().st_uid, state.stat().st_mode & 0o777) == (uid, 0o700)
    finally:
        witness.send_signal(signal.SIGTERM)
    assert witness.wait(5) == 0


def test_users_are_made():
    """What an install that is not staged ends with; here they are there already."""
    done = subprocess.run(["sh", TOP / "tests/packages.sh", "users"], capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_help_names_every_verb():
    text = make("help")
    for verb in ("all", "demo", "lab", "check", "lint", "bench", "install", "uninstall", "clean"):
        assert verb in text, f"make help does not name {verb}"
