"""`python -m triage` is the same as `triage`."""

from triage.cli.main import main

main()
