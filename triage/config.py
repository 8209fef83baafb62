"""The reader's settings: one validated TOML file, and environment variables that move or fix things.

Precedence: environment, file, default. Unknown keys are refused with the nearest known one. Owns no
paths and no secrets.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import stat
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import monotonic, tzset
from typing import Any, Literal

import msgspec

from triage.core import quiet_hours
from triage.core.errors import UsageError

_SERVICE_URL = re.compile(r"TRIAGE_([A-Z][A-Z0-9_]*)_URL")

Clock = Callable[[], datetime]
"""Returns the present moment, aware UTC."""
FIRST_YEAR, LAST_YEAR = 1970, 2999
"""Of a clock: windows, waits and time zones are added to it, and a date has an end in both directions."""


MAX_FILE = 2**20
"""Bytes of the file of settings."""
MAX_DAYS = 36_500
MAX_BACKUPS = 100
MAX_NOTIFICATIONS = 50


class DigestMailConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [digest.mail]: how a digest is sent to the reader."""

    to: str | None = None
    """The address to send it to; nothing is sent without one."""
    sender: str | None = msgspec.field(name="from", default=None)
    """The address that it comes from; that of `to` if unset."""
    host: str | None = None
    """The server that takes it."""
    port: int = 465
    """Its port."""
    security: Literal["tls", "starttls", "none"] = "tls"
    """TLS from the first byte (port 465), by STARTTLS (port 587), or none, for a server on this machine."""
    user: str | None = None
    """The name to log in with; without one nobody logs in."""
    password_env: str | None = None
    """The environment variable that holds the password."""
    password_command: str | None = None
    """A command that prints it."""


class DigestConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [digest]."""

    minutes: float = 15.0
    """How long the reader wants to read in a day."""
    window_days: float = 30.0
    """Items first seen longer ago are not ranked any more; they stay searchable."""
    at: str | None = None
    """When the reader wants it, by their clock: `07:00`. The daemon has it ready by then."""
    send: bool = False
    """Whether the daemon sends it by mail at that time."""
    mail: DigestMailConfig = DigestMailConfig()

    @property
    def hour(self) -> time | None:
        """`at` as a time; raises ValueError if it is none."""
        if self.at is None:
            return None
        hours, _, minutes = self.at.partition(":")
        return time(int(hours), int(minutes))


class ModelConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [model]."""

    encoder: str | None = None
    """Folder of the encoder's weights; the verified package is used if unset."""
    threads: int = 0
    """CPU threads for encoding; 0 = all."""


class SourcesConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [sources]."""

    contact: str | None = None
    """Your mail address, for paper services that serve people better who say how to reach them."""


class ServiceConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """A table [services.NAME], by the name of an ingestor."""

    url: str | None = None
    """Its base URL, for a mirror or a test server. Environment: TRIAGE_NAME_URL."""
    key_env: str | None = None
    """The environment variable that holds your key."""
    key_command: str | None = None
    """A command that prints it."""


class MailConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [mail]."""

    addresses: list[str] = []
    """The reader's own, by which mail and answers to them are known. A login name counts by itself."""


class DaemonConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [daemon]."""

    on_battery: bool = False
    """Whether to rank, learn and copy on battery too; fetching goes on in any case."""
    backups: int = 3
    """How many automatic copies of the database are kept (one a day, of large ones one a week); 0: none."""
    metrics: str | None = None
    """A file that is rewritten with figures for Prometheus (the text format of its node exporter)."""
    log_format: Literal["plain", "json"] = "plain"
    """Whether the log has lines for people, or JSON lines for programs. From the daemon's next start on."""


class RetentionConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [retention]: after how many days the text of an item is dropped; 0 = never.

    What you marked, opened or were sent by a person is always kept, and what a rule `keep` or `always` meets.
    """

    feed_days: int = 0
    """Of posts and articles."""
    mail_days: int = 0
    """Of mails."""
    paper_days: int = 0
    """Of papers."""


class NotifyConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [notify]: what is worth an interruption, once there are marks enough to tell."""

    per_day: int = 2
    """At most so many in 24 hours; 0 = none."""
    quiet: str = "21:00-08:00"
    """Hours without any, in local time."""
    desktop: bool = True
    """Whether the desktop shows them, where there is one."""
    command: str | None = None
    """A command that is run for each, with the item as JSON on its standard input."""
    apprise_env: str | None = None
    """The environment variable with addresses for apprise, which is an extra: `triage[notify]`."""


class FullTextConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [full_text]."""

    fetch: bool = True
    """Whether the full text of summaries that are likely to be shown is fetched from their source's own site;
    if not, only for a source that is set to `always`, or when the reader asks."""


class ReadingConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [reading]."""

    measure: bool = True
    """Whether it is remembered what you open, and for how long: in the database, and it teaches nothing."""


class TuiConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The table [tui]."""

    theme: str | None = None
    """The colours, by the name that the palette gives them; ours if unset."""
    mouse: bool = True
    """Whether the interface takes the mouse; without it, the terminal selects text as it always does."""


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The whole file."""

    digest: DigestConfig = DigestConfig()
    model: ModelConfig = ModelConfig()
    sources: SourcesConfig = SourcesConfig()
    mail: MailConfig = MailConfig()
    services: dict[str, ServiceConfig] = {}
    full_text: FullTextConfig = FullTextConfig()
    reading: ReadingConfig = ReadingConfig()
    tui: TuiConfig = TuiConfig()
    notify: NotifyConfig = NotifyConfig()
    daemon: DaemonConfig = DaemonConfig()
    retention: RetentionConfig = RetentionConfig()
    keys: dict[str, str | list[str]] = {}
    """Other keys for an action, by its name: one key, or a list of them."""


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Reads the settings; a missing file means defaults.

    Raises:
        UsageError: The file is no TOML, has an unknown key or a value of the wrong type.
    """
    try:
        text = text_of(path)
    except FileNotFoundError:
        text = ""
    return parse(text, path, environ)


def text_of(path: Path) -> str:
    """What the file says. It may be a link to a pipe or to a device, which never end.

    Raises:
        FileNotFoundError: There is none.
        UsageError: It cannot be read, is no text, or is larger than settings are.
    """
    mend = f"mend the file, or move it away: {path}"
    try:
        if stat.S_ISFIFO(mode := path.stat().st_mode) or stat.S_ISCHR(mode):
            raise UsageError(f"{path} is a pipe or a device, not a regular file", fix=mend)
        with path.open("rb") as file:
            body = file.read(MAX_FILE + 1)
        if len(body) > MAX_FILE:
            raise UsageError(f"{path} is larger than {MAX_FILE // 2**20} MiB", fix=mend)
        return body.decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: {error}", fix=mend) from error
    except PermissionError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", fix=f"chmod u+rw {shlex.quote(str(path))}"
        ) from error
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", fix="set TRIAGE_HOME to a folder that you can use"
        ) from error


def parse(text: str, path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The settings that `text` holds; errors name it by `path`, with the line where there is one.

    Raises:
        UsageError: It is no TOML, has an unknown key or a value of the wrong type.
    """
    raw = _tables(text, path)
    try:
        _refuse_unknown(raw, Config, "")
        _refuse_unknown_services(raw.get("services"))
    except _UnknownSettingError as error:
        raise UsageError(f"{path}{_line_of(error.key, text)}: {error}", fix="triage config edit") from error
    try:
        config = msgspec.convert(raw, Config)
        config = msgspec.structs.replace(config, services=_moved(config.services, environ))
    except msgspec.ValidationError as error:
        said = _in_words(str(error))
        key = said.partition(" ")[0].rpartition(".")[2]
        raise UsageError(f"{path}{_line_of(key, text)}: {said}", fix="triage config edit") from error
    if not 0 < config.digest.minutes <= 24 * 60:
        raise UsageError(
            f"{path}: digest.minutes must be above 0 and at most 1440, not {config.digest.minutes:g}"
        )
    if not 0 < config.digest.window_days <= 3650:
        raise UsageError(f"{path}: digest.window_days must be above 0 and at most 3650")
    for name, days in msgspec.structs.asdict(config.retention).items():
        if days and not config.digest.window_days <= days <= MAX_DAYS:
            raise UsageError(
                f"{path}: retention.{name} must be 0 (for ever) or at least digest.window_days, not {days}"
            )
    if not 0 <= config.notify.per_day <= MAX_NOTIFICATIONS:
        raise UsageError(f"{path}: notify.per_day must lie between 0 and {MAX_NOTIFICATIONS}")
    try:
        quiet_hours.within(config.notify.quiet, time.min)
    except UsageError as error:
        raise UsageError(f"{path}: notify.quiet: {error}") from error
    if not 0 <= config.daemon.backups <= MAX_BACKUPS:
        raise UsageError(f"{path}: daemon.backups must lie between 0 and {MAX_BACKUPS}")
    _check_delivery(config.digest, path)
    _check_metrics(config.daemon.metrics, path)
    return config


def _check_metrics(file: str | None, path: Path) -> None:
    try:
        named = Path(file or "").expanduser()
    except RuntimeError as error:  # `~` of a user that there is not
        raise UsageError(f"{path}: daemon.metrics: {error}", fix="write the whole path") from error
    if "\0" in str(named):
        raise UsageError(f"{path}: daemon.metrics must be a path, without a null character")


def _tables(text: str, path: Path) -> dict[str, Any]:
    """What a file says; without one, its parser is not imported before the first frame."""
    if not text:
        return {}
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError as error:  # also of a number with thousands of digits
        raise UsageError(f"{path}: {error}", fix="triage config edit") from error
    except RecursionError:
        raise UsageError(f"{path}: tables or lists are nested too deeply", fix="triage config edit") from None


def _check_delivery(digest: DigestConfig, path: Path) -> None:
    try:
        hour = digest.hour
    except ValueError:
        raise UsageError(f'{path}: digest.at must be a time such as "07:00", not "{digest.at}"') from None
    if digest.send and hour is None:
        raise UsageError(
            f"{path}: digest.send has no effect without digest.at", fix="triage config set digest.at 07:00"
        )
    if digest.send and not (digest.mail.to and digest.mail.host):
        raise UsageError(f"{path}: digest.send needs digest.mail.to and digest.mail.host")
    if not 0 < digest.mail.port < 65_536:
        raise UsageError(f"{path}: digest.mail.port must be a port, not {digest.mail.port}")


_KINDS_OF_VALUES = {
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "str": "text",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}


def _in_words(error: str) -> str:
    """What msgspec says of a value of the wrong type, as a reader of the file would say it."""
    found = re.fullmatch(r"Expected `(\w+)(?: \| null)?`, got `(\w+)`(?: - at `\$\.(.+)`)?", error)
    if found is None:
        return error
    wanted, given, name = found.groups()
    kinds = _KINDS_OF_VALUES
    return f"{name or 'the file'} must be {kinds.get(wanted, wanted)}, not {kinds.get(given, given)}"


class _UnknownSettingError(Exception):
    """A key that no table has."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def refused(path: Path, table: str, key: str, problem: str, text: str | None = None) -> UsageError:
    """What to raise for a setting that only the part it is for could judge; names its line.

    Args:
        path: The file.
        table: The setting's table.
        key: Its name there.
        problem: What is wrong with it.
        text: What the file holds, if it is not written yet.
    """
    text = text_of(path) if text is None else text
    return UsageError(f"{path}{_line_of(key, text, table)}: {problem}", fix="triage config edit")


def _line_of(key: str, text: str, table: str = "") -> str:
    """` (line 3)`, where the key stands at the beginning of a line, or of a table's name.

    With `table`, only lines from its head on are looked at.
    """
    lines = text.splitlines()
    head = re.compile(rf"\s*\[\s*{re.escape(table)}\s*\]")
    first = next((number for number, line in enumerate(lines) if table and head.match(line)), 0)
    pattern = re.compile(rf"""\s*(?:\[\s*(?:[\w.-]+\.)?)?["']?{re.escape(key)}["']?\s*(?:=|\]|\.)""")
    found = (number for number, line in enumerate(lines[first:], first + 1) if pattern.match(line))
    number = next(found, None)
    return f" (line {number})" if number else ""


def _moved(services: dict[str, ServiceConfig], environ: Mapping[str, str]) -> dict[str, ServiceConfig]:
    """The services with the base URLs that the environment gives them."""
    moved = dict(services)
    for variable, url in environ.items():
        if url and (found := _SERVICE_URL.fullmatch(variable)):
            name = found.group(1).replace("_", "").lower()
            moved[name] = msgspec.structs.replace(moved.get(name, ServiceConfig()), url=url)
    return moved


def _refuse_unknown_services(tables: object) -> None:
    if not isinstance(tables, dict):
        return
    from ingestors import registry

    known = registry.names()
    for name, table in tables.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            raise _UnknownSettingError(name, f"there is no service {name}; {hint}")
        if isinstance(table, dict):
            _refuse_unknown(table, ServiceConfig, f"services.{name}.")


def _refuse_unknown(raw: Mapping[str, Any], struct: type[msgspec.Struct], prefix: str) -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in raw.items():
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known here: {', '.join(fields)}"
            raise _UnknownSettingError(key, f"unknown setting {prefix}{key}; {hint}")
        kind = fields[key]
        if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            _refuse_unknown(value, kind, f"{prefix}{key}.")


def _now() -> datetime:
    tzset()  # the C library looks once where the machine is, and a reader travels
    return datetime.now(UTC)


def clock(environ: Mapping[str, str] = os.environ) -> Clock:
    """The clock of this process: the real one, or one that starts at `TRIAGE_NOW` (RFC 3339) and runs on.

    Raises:
        UsageError: `TRIAGE_NOW` is no RFC 3339 time with an offset, or is centuries away; or `TZ` is a day
            or more from Greenwich, so that no local time can be shown.
    """
    try:
        _now().astimezone()
    except ValueError as error:
        far = f"the time zone is a day or more from Greenwich (TZ={environ.get('TZ', '')})"
        raise UsageError(far, fix="TZ=Europe/Zurich, or whatever yours is called") from error
    text = environ.get("TRIAGE_NOW")
    if not text:
        return _now
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"TRIAGE_NOW: {text!r} is no RFC 3339 time such as 2026-03-02T07:00:00Z") from error
    if start.tzinfo is None:
        raise UsageError(f"TRIAGE_NOW: {text!r} lacks an offset; write 2026-03-02T07:00:00Z")
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise UsageError(f"TRIAGE_NOW: the year must lie between {FIRST_YEAR} and {LAST_YEAR}")
    started = monotonic()
    return lambda: start.astimezone(UTC) + timedelta(seconds=monotonic() - started)
