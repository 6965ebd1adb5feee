"""`make install` and `make uninstall`: the latter leaves nothing of the former."""

import os
import pathlib
import subprocess

from lab import BUILD, TOP


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
    for wanted in ("/yoked", "/yoke", "/yoke-snmp", "YOKE-MIB.txt", "yoked.service"):
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


def test_users_are_made():
    """What an install that is not staged ends with; here they are there already."""
    done = subprocess.run(["sh", TOP / "tests/packages.sh", "users"], capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_help_names_every_verb():
    text = make("help")
    for verb in ("all", "demo", "lab", "check", "lint", "bench", "install", "uninstall", "clean"):
        assert verb in text, f"make help does not name {verb}"
