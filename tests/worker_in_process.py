"""A model worker inside of the process that asks it: the same answers, without a second of imports each."""

from __future__ import annotations

import io
from typing import Any

from model.frames import read_frame, write_frame
from model.types import ModelError
from triage import config
from triage.core.errors import TriageError
from triage.paths import Paths
from triage.services.ranker.worker import Worker
from triage.services.ranker.worker_client import ModelWorker, Progress


class WorkerInProcess(ModelWorker):
    """Requests and replies pass through frames as between processes; of progress nothing is told."""

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths, demo=False)
        self._inside: Worker | None = None

    def _ask(self, request: dict[str, Any], on_progress: Progress | None) -> dict[str, Any]:
        if self._inside is None:
            settings = config.load(self._paths.config_file)
            self._inside = Worker(self._paths, settings, demo=False, replies=io.BytesIO())
        try:
            reply = framed(self._inside.answer(framed(request)))
        except ModelError as error:
            raise TriageError(str(error)) from error
        self._inside.finish()
        return reply

    def close(self) -> None:
        """Ends it."""
        if self._inside is not None:
            self._inside.close()
            self._inside = None


def framed(document: dict[str, Any]) -> dict[str, Any]:
    """What arrives at the other end of a pipe."""
    stream = io.BytesIO()
    write_frame(stream, document)
    stream.seek(0)
    frame = read_frame(stream)
    assert frame is not None
    return frame[0]
