"""Where everything lies on disk. The only module that knows; `TRIAGE_HOME` moves it all under one folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from triage.core.errors import UsageError

APP = "triage"


@dataclass(frozen=True, slots=True)
class Paths:
    """Folders and files of one reader. Folders are created 0700 by `create`; nothing else is touched."""

    config: Path
    data: Path
    cache: Path
    state: Path

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> Paths:
        """From `TRIAGE_HOME` if set, else the platform's convention (XDG on Linux).

        Raises:
            UsageError: `TRIAGE_HOME` begins with the home of a user that there is not.
        """
        if home := environ.get("TRIAGE_HOME"):
            try:
                return cls.under(Path(home).expanduser().absolute())
            except RuntimeError as error:  # `~` of a user that there is not
                raise UsageError(f"TRIAGE_HOME: {error}", fix="write the whole path") from error
        import platformdirs

        dirs = platformdirs.PlatformDirs(APP, appauthor=False)
        return cls(dirs.user_config_path, dirs.user_data_path, dirs.user_cache_path, dirs.user_state_path)

    @classmethod
    def under(cls, home: Path) -> Paths:
        """All of it under one folder."""
        return cls(home / "config", home / "data", home / "cache", home / "state")

    @property
    def folders(self) -> list[Path]:
        """The folders that hold all of it, each once: on macOS, several are the same."""
        return list(dict.fromkeys([self.config, self.data, self.cache, self.state]))

    def create(self) -> None:
        """Makes the folders, readable by their owner only, whatever the umask."""
        for folder in self.folders:
            for missing in reversed([each for each in folder.parents if not each.exists()]):
                missing.mkdir(exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
            if folder.stat().st_mode & 0o077:
                folder.chmod(0o700)

    @property
    def config_file(self) -> Path:
        """The settings (TOML); may be missing."""
        return self.config / "config.toml"

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.data / "triage.db"

    @property
    def backups(self) -> Path:
        """Copies of the database made before upgrades."""
        return self.data / "backups"

    @property
    def vectors(self) -> Path:
        """Folder of the passage vectors, one matrix file an encoder."""
        return self.data / "vectors"

    @property
    def models(self) -> Path:
        """Folder of what `triage learn` has found, a version a folder; made with the first one."""
        return self.data / "models"

    @property
    def digest(self) -> Path:
        """The current digest as one JSON document: the first frame of the terminal reads nothing else."""
        return self.data / "digest.json"

    @property
    def seen(self) -> Path:
        """Which digest the reader looked at last, and when."""
        return self.state / "digest-seen"

    @property
    def ingest_lock(self) -> Path:
        """Held by the one process that ingests: the daemon, or a `triage sync`."""
        return self.state / "ingest.lock"

    @property
    def heartbeat(self) -> Path:
        """Written by the daemon once a minute: its process id and what it did last."""
        return self.state / "daemon.json"

    @property
    def start(self) -> Path:
        """Which steps of the guided start are behind the reader."""
        return self.state / "start.json"

    @property
    def log(self) -> Path:
        """The daemon's log."""
        return self.state / "daemon.log"

    @property
    def demo_marker(self) -> Path:
        """Exists in the demo's home only, and holds the time at which the demo takes place."""
        return self.data / "demo-clock"

    @property
    def demo_home(self) -> Path:
        """The separate home of the demo: it never mixes with the reader's own data."""
        return self.cache / "demo"
