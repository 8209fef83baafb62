"""What reads the terminal: Textual's driver, which ends the interface at the first byte that is no UTF-8.

Such bytes come from a terminal in another encoding, from keys with the eighth bit set and from pasted data.
"""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver


class PatientDriver(LinuxDriver):
    """Textual's driver for terminals; what was read together with bytes that are no text is no key."""

    def run_input_thread(self) -> None:
        """Reads keys until the app ends."""
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue
