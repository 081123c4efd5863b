#!/usr/bin/env python3
"""Django's command line. Outside the virtual environment it starts itself again with `.venv/bin/python`."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path


def use_virtual_environment() -> None:
    """Django must be importable afterwards, or the process has ended with a sentence that says what to do."""
    if importlib.util.find_spec("django"):
        return
    environment = Path(__file__).resolve().parent / ".venv"
    python = environment / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != environment.resolve():
        os.execv(python, [str(python), *sys.argv])
    sys.exit("Django is not installed. Run script/run once (it makes .venv), or install requirements.txt.")


if __name__ == "__main__":
    use_virtual_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")

    from django.core.management import execute_from_command_line
    from django.db import Error

    try:
        execute_from_command_line(sys.argv)
    except Error as error:
        from newsroom.health import what_to_mend

        if sys.argv[1] == "migrate" or not (sentence := what_to_mend(error)):
            raise
        sys.exit(f"{sys.argv[1]}: {sentence}")
