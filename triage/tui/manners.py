"""How the interface speaks to its reader, and how it leaves: nothing that was said is lost on the way out.

Knows marks, where messages stand, and the ways in which a terminal can end; nothing of what is shown.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from time import monotonic
from typing import ClassVar

from rich.text import Text
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.notifications import SeverityLevel

from triage.core import words
from triage.core.errors import TriageError
from triage.core.text import sanitize_line, sanitize_text
from triage.tui import hangup, keymap
from triage.tui.marks import Marks, Outcome
from triage.tui.messages import Learned, sentence
from triage.tui.widgets.bars import StatusBar

QUIET_SECONDS = 0.3
"""How long leaving may take before it says what it waits for."""
COMPLAINT_S = 8.0
"""How long an error is shown."""
SHELL_KEY = "ctrl+z"
LOOK_SECONDS = 0.01
WRITING_LOOKS = 200
"""How often the way to the shell looks whether all marks are written, before it goes without."""


class MannerlyApp(App[int]):
    """An app with marks that are stored before it ends, however it ends."""

    marks: Marks
    parting = ""
    """What the terminal says when the reader has left; empty for nothing."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(SHELL_KEY, "suspend_process", show=False, priority=True),
    ]

    def __init__(self) -> None:
        # Without colour, Textual must know at once that it draws in the terminal's own: it would put a filter
        # in the place of its colours that makes black on black of ours.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        self._ending = threading.Lock()
        self._complaint = "", 0.0
        """The last error that was shown, and when."""

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, but one that survives bytes that are no text."""
        from textual.drivers.linux_driver import LinuxDriver

        from triage.tui.driver import PatientDriver

        found = super().get_driver_class()
        return PatientDriver if found is LinuxDriver else found

    def release(self) -> None:
        """Gives back what the app holds; called when the last mark is written. May be called twice."""
        raise NotImplementedError

    # ------------------------------------------------------------ words for the reader

    def say(self, message: str) -> None:
        """Shows a message in the status line of every open screen that has one."""
        for screen in self.screen_stack:
            for bar in screen.query(StatusBar):
                bar.say(message)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Shows a toast. Its words may be a stranger's: they are sanitised, and `markup` is never used."""
        del markup
        message, title = sanitize_text(message, 600), sanitize_line(title)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def complain(self, error: TriageError) -> None:
        """Shows an error with what helps; of many that are alike, as of marks on a full disk, one."""
        said, now = sentence(error), monotonic()
        before, at = self._complaint
        if said != before or now > at + COMPLAINT_S:
            self._complaint = said, now
            self.notify(said, severity="error", timeout=COMPLAINT_S)

    def tell(self, outcome: Outcome) -> None:
        """Says what came of what was said, also to the open screens, which ask again for what they show."""
        self.say(outcome.said)
        if outcome.error is not None:
            self.complain(outcome.error)
        for screen in self.screen_stack:
            screen.post_message(Learned(outcome.said))

    def action_command_palette(self) -> None:
        """Opens the palette, in which every action is found by its name."""
        from triage.tui.screens.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())  # an id would clash with that of one just closing

    # ------------------------------------------------------------ the end

    def watch_for_the_end(self) -> None:
        """Has signals, and a terminal that vanishes, end the app as its reader would."""
        if not self.is_headless:
            for name in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(name, self.exit)
            hangup.watch(self._end_without_terminal)

    async def on_unmount(self) -> None:
        """Nothing that was said is lost."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        """The queue is written before the database is closed. May be called twice, from any thread."""
        with self._ending:
            self.marks.close()
            self.release()

    def _end_without_terminal(self) -> None:
        """Ends the process. Runs in the thread of the watch.

        The event loop cannot be asked to leave: it may be waiting for room in a queue of output that
        nobody takes any more.
        """
        self._close()
        os._exit(1 if self.marks.lost else 0)

    async def action_quit(self) -> None:
        """Leaves; what is not stored yet is stored first, with a word about it if that takes long."""
        if not self.marks.leaving:
            self.marks.leaving = True
            self.run_worker(self._leave(), group="leave")

    async def _leave(self) -> None:
        closing = asyncio.create_task(asyncio.to_thread(self.marks.close))
        done, _ = await asyncio.wait([closing], timeout=QUIET_SECONDS)
        if not done:
            waits = f"Storing {words.plural(self.marks.pending, 'mark')}" if self.marks.pending else "Ranking"
            self.say(f"{waits} before leaving …")
            await closing
        last_words = "\n".join(self.marks.lost) or self.parting
        self.exit(return_code=1 if self.marks.lost else 0, message=Text(last_words) if last_words else None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A reader may have chosen the key of the way to the shell for something else."""
        if action != "suspend_process":
            return super().check_action(action, parameters)
        return SHELL_KEY not in ",".join(keymap.of(self).for_textual().values()).split(",")

    def action_suspend_process(self) -> None:
        """Back to the shell until `fg`, if a shell is there that can bring the app back."""
        if os.getpgrp() == os.getsid(0):  # no job control: nothing would ever wake it again
            self.notify("No shell could bring this back, so it stays.")
        else:
            self.run_worker(self._suspend(), group="leave")

    async def _suspend(self) -> None:
        # A process that sleeps in the middle of a write would keep the daemon from writing.
        for _ in range(WRITING_LOOKS):
            if not self.marks.pending:
                break
            await asyncio.sleep(LOOK_SECONDS)
        super().action_suspend_process()

    def action_help_quit(self) -> None:
        """Control-C leaves, as everywhere else."""
        self.call_later(self.action_quit)
