"""Started by a service manager: the file it reads, what it hears, and the commands around it."""

from __future__ import annotations

import configparser
import json
import os
import plistlib
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from triage.daemon.notify import READY, notify
from triage.daemon.service_files import service_file
from triage.paths import Paths

ODD = '/home/a "b" 50%/bin/python\\3'


def triage(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "triage", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_unit_says_where_the_program_and_the_data_are(tmp_path: Path) -> None:
    service = service_file("linux", {"TRIAGE_HOME": "/data/my triage"}, tmp_path, "/opt/venv/bin/python")
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(service.text)
    assert unit["Service"]["ExecStart"] == '"/opt/venv/bin/python" -P -m triage daemon run'
    assert unit["Service"]["Environment"] == '"TRIAGE_HOME=/data/my triage"'
    assert unit["Service"]["Type"] == "notify"
    assert service.path == tmp_path / ".config/systemd/user/triage.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    service = service_file("linux", {"TRIAGE_HOME": str(tmp_path / "my 100% home")}, tmp_path)
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}

    def verified(text: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "triage.service"
        file.write_text(text)
        command = ["systemd-analyze", "verify", "--user", str(file)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    found = verified(service.text)
    if "Failed to initialize manager" in found.stderr:
        pytest.skip("systemd-analyze does not work here")
    assert (found.returncode, found.stderr) == (0, "")
    assert "KillMod" in verified(service.text.replace("KillMode", "KillMod")).stderr, "it looks"


def test_the_unit_has_nothing_that_keeps_it_from_starting_or_ends_it_for_good() -> None:
    """DB-18. In a user's manager, options that mount take a user namespace, which many systems refuse."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(service_file("linux", {}, Path("/home/ada")).text)
    service = unit["Service"]
    mounting = ("PrivateTmp", "ProtectSystem", "ProtectHome", "PrivateDevices", "ProtectKernelTunables")
    assert not [option for option in mounting if option in service]
    assert "MemoryDenyWriteExecute" not in service
    assert (service["KillMode"], service["OOMPolicy"]) == ("mixed", "continue")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert service["RestartPreventExitStatus"] == "2"


def test_odd_paths_stay_one_word(tmp_path: Path) -> None:
    text = service_file("linux", {}, tmp_path, ODD).text
    assert 'ExecStart="/home/a \\"b\\" 50%%/bin/python\\\\3" -P -m triage daemon run' in text
    agent = plistlib.loads(service_file("darwin", {"TRIAGE_HOME": "/<&>"}, tmp_path, ODD).text.encode())
    assert agent["ProgramArguments"] == [ODD, "-P", "-m", "triage", "daemon", "run"]
    assert agent["EnvironmentVariables"] == {"TRIAGE_HOME": "/<&>"}


@pytest.mark.parametrize("abstract", [False, True])
def test_a_manager_hears_what_is_said(tmp_path: Path, abstract: bool) -> None:
    if abstract and sys.platform != "linux":
        pytest.skip("names without a file are Linux's")
    address = f"\0triage-{tmp_path.name}" if abstract else str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(5)
        notify(READY, "STATUS=two\nlines", environ={"NOTIFY_SOCKET": address.replace("\0", "@")})
        assert manager.recv(100) == b"READY=1\nSTATUS=two lines"


def test_a_manager_that_does_not_listen_is_no_error(tmp_path: Path) -> None:
    notify(READY, environ={"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    notify(READY, environ={})


def test_it_is_installed_and_removed_without_a_trace(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nonexistent")  # no service manager may be asked by a test
    installed = triage("daemon", "install")
    file = tmp_path / "systemd/user/triage.service"
    assert installed.returncode == 0
    assert "There is no systemctl here" in installed.stderr
    manager = tmp_path / "bin" / "systemctl"
    manager.parent.mkdir()
    manager.write_text("#!/bin/sh\n")
    manager.chmod(0o755)
    monkeypatch.setenv("PATH", str(manager.parent))
    assert "enable --now" in triage("daemon", "install").stderr
    assert file.read_text() == triage("daemon", "install", "--print").stdout
    assert json.loads(triage("daemon", "status", "--json").stdout)["service_file"] == str(file)
    assert triage("daemon", "uninstall").returncode == 0
    assert not (tmp_path / "systemd").exists()
    assert "nothing to do" in triage("daemon", "uninstall").stdout


def test_it_is_stopped_by_name_and_its_log_is_shown(paths: Paths) -> None:
    assert "has never run" in triage("daemon", "logs").stderr
    assert "not running" in triage("daemon", "stop").stdout
    child = subprocess.Popen([sys.executable, "-m", "triage", "daemon", "run"], stderr=subprocess.PIPE)
    try:
        assert child.stderr is not None
        assert b"The daemon runs" in child.stderr.readline()
        for _ in range(200):
            if json.loads(triage("daemon", "status", "--json").stdout)["running"]:
                break
        stopped = triage("daemon", "stop")
        assert (stopped.returncode, stopped.stdout) == (0, "stopped\n")
        assert child.wait(timeout=5) == 0
        assert "stopped" in triage("daemon", "logs", "-n", "3").stdout
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert child.stderr is not None
        child.stderr.close()
