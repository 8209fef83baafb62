"""The files that have a desktop start the daemon at login: a systemd user unit, a LaunchAgent.

Pure text and places; installing them is `triage.cli.daemon`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

LABEL = "triage"
KEPT_VARIABLES = (
    "TRIAGE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "PATH",
)  # fmt: skip
"""What decides where everything lies, and where commands are found, such as the one that prints a password: a
service must see what the shell sees that installs it."""


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """A file for a service manager, and the commands that act on it."""

    path: Path
    text: str
    start: tuple[tuple[str, ...], ...]
    """Commands that start the service now and at every login; shown, never run by stealth."""
    stop: tuple[tuple[str, ...], ...]
    """Commands that end it and have it start no more; run before the file is removed."""
    restart: tuple[str, ...]
    """The command that starts it again, whether it runs or not."""


def service_file(
    platform: str = sys.platform,
    environ: Mapping[str, str] = os.environ,
    home: Path | None = None,
    python: str = sys.executable,
) -> ServiceFile:
    """The file for the service manager of `platform`."""
    home = home or Path.home()
    variables = {name: environ[name] for name in KEPT_VARIABLES if environ.get(name)}
    if platform == "darwin":
        return _launch_agent(home, variables, python)
    return _systemd_unit(Path(environ.get("XDG_CONFIG_HOME") or home / ".config"), variables, python)


def _systemd_unit(config: Path, variables: Mapping[str, str], python: str) -> ServiceFile:
    settings = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in variables.items())
    text = f"""\
[Unit]
Description=triage: fetches and ranks feeds, mail and papers
# It is to run for months: whatever ends it, it is started again.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={_quoted(python)} -P -m triage daemon run
ExecReload=/bin/kill -HUP $MAINPID
{settings}# An upgrade copies and rewrites the whole database before the daemon is ready.
TimeoutStartSec=1h
TimeoutStopSec=30
WatchdogSec=180
# The daemon ends the model worker itself, after its transaction.
KillMode=mixed
# What takes memory is the encoder, without which all else goes on.
OOMPolicy=continue
Restart=on-failure
RestartSec=60
# Settings that cannot be used: trying again changes nothing.
RestartPreventExitStatus=2
Nice=10
# Not idle: whoever waits for the database would wait until the disk is.
IOSchedulingClass=best-effort
IOSchedulingPriority=7
UMask=0077
# No PrivateTmp or ProtectSystem: for a user they take a user namespace, and where users may have none,
# nothing would start. No MemoryDenyWriteExecute: torch writes code.
NoNewPrivileges=true
LockPersonality=true
RestrictRealtime=true
RestrictSUIDSGID=true
# By netlink the C library learns which kinds of addresses this machine has.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""
    return ServiceFile(
        config / "systemd" / "user" / f"{LABEL}.service",
        text,
        (
            ("systemctl", "--user", "daemon-reload"),
            ("systemctl", "--user", "enable", "--now", LABEL),
        ),
        (("systemctl", "--user", "disable", "--now", LABEL),),
        ("systemctl", "--user", "restart", LABEL),
    )


def _launch_agent(home: Path, variables: Mapping[str, str], python: str) -> ServiceFile:
    settings = "".join(
        f"    <key>{escape(name)}</key><string>{escape(value)}</string>\n"
        for name, value in variables.items()
    )
    text = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
  <key>Label</key><string>{LABEL}</string>
  <key>ProgramArguments</key><array>
    <string>{escape(python)}</string><string>-P</string><string>-m</string><string>triage</string>
    <string>daemon</string><string>run</string>
  </array>
  <key>EnvironmentVariables</key><dict>
{settings}  </dict>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>ThrottleInterval</key><integer>60</integer>
  <key>ExitTimeOut</key><integer>30</integer>
  <key>ProcessType</key><string>Background</string>
  <key>LowPriorityIO</key><true/>
  <key>Umask</key><integer>63</integer>
</dict></plist>
"""
    path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    return ServiceFile(
        path,
        text,
        (("launchctl", "load", "-w", str(path)),),
        (("launchctl", "unload", "-w", str(path)),),
        ("launchctl", "kickstart", "-k", f"gui/{os.getuid()}/{LABEL}"),
    )


def _quoted(text: str) -> str:
    """One word of a unit file, whatever is in it: quotes and percent signs mean something there."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", " ")
    return f'"{text}"'
