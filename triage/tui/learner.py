"""When what was said is learned from: on a thread of its own, and once for all that was said in one go.

Knows neither marks nor what learning is. That takes tenths of a second and must not stand between a mark and
the disk, and of an order that the next key replaces nobody sees anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

PAUSE_S = 0.15
"""What is said at shorter intervals is learned from together. A key that is held down repeats every 30 ms;
who looks before each key takes longer."""


class Learner:
    """Does a task on a thread of its own when it was asked for and a pause has come.

    While the task runs, what is asked for waits for the next run: there is never more than one.
    """

    def __init__(self, task: Callable[[], object]) -> None:
        """Creates it; `task` is called on the thread, which the first wish starts, and raises nothing."""
        self._task = task
        self._news = threading.Condition()
        self._wanted: float | None = None
        """When it was asked for last; None if it was done since."""
        self._running = False
        self._closing = False
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether something is wanted that is not done."""
        with self._news:
            return self._running or self._wanted is not None

    def want(self) -> None:
        """Asks for the task; returns at once."""
        with self._news:
            if self._closing:
                return
            self._wanted = monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="learning", daemon=True)
                self._thread.start()
            self._news.notify_all()

    def close(self, seconds: float) -> None:
        """Waits for what is wanted so long, and for no pause. Nothing is begun afterwards."""
        with self._news:
            self._closing = True
            self._news.notify_all()
            self._news.wait_for(lambda: not self._running and self._wanted is None, seconds)
            self._wanted, self._thread = None, None

    def _run(self) -> None:
        while self._begin():
            self._task()
            with self._news:
                self._running = False
                self._news.notify_all()

    def _begin(self) -> bool:
        """Waits until there is something to do; False if there will be nothing more."""
        with self._news:
            while self._wanted is None or (left := self._left(self._wanted)) > 0:
                if self._wanted is None and self._closing:
                    return False
                self._news.wait(None if self._wanted is None else left)
            self._wanted, self._running = None, True
            return True

    def _left(self, wanted: float) -> float:
        """Seconds of the pause that are still to come."""
        return 0.0 if self._closing else wanted + PAUSE_S - monotonic()
