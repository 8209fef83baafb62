"""A command line, run in this process."""

from __future__ import annotations

import contextlib
import io
import shlex
import sys
from unittest.mock import patch

import pytest

from triage.cli.main import main


def triage(line: str) -> tuple[int, str, str]:
    """Exit code, output and errors of one command line, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", shlex.split(line)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as left,
    ):
        main()
    return int(left.value.code or 0), out.getvalue(), err.getvalue()
