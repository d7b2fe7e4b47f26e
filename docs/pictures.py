"""Make the pictures of the README from real runs: `make pictures`. It needs Chromium for the report's page."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).parent / "images"
sys.path.insert(0, str(ROOT))
_OPTIONS = "-p no:randomly -p no:cacheprovider"
#: Nobody has installed these beside greenroom.
_ELSEWHERE = "-p no:sqla -p no:schemathesis -p no:aiointercept -p no:hypothesispytest"


def run(folder: Path, *arguments: str) -> str:
    """What a run prints, in colours."""
    done = subprocess.run(  # noqa: S603 - pytest, by the interpreter that runs this
        [sys.executable, "-m", "pytest", "--color=yes", *arguments],
        cwd=folder,
        env={**os.environ, "PYTEST_ADDOPTS": f"{_OPTIONS} {_ELSEWHERE}", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def terminal(folder: Path) -> None:
    """The tutorial's suite before its app is mended."""
    from rich.console import Console
    from rich.text import Text
    from tests.docs.blocks import files_of, steps_of

    first = next(
        step[1]
        for step in steps_of("docs/tutorial.md")
        if isinstance(step, tuple) and step[0] == "main.py"
    )
    files = {
        **files_of("docs/tutorial.md"),
        "main.py": first,
        "pyproject.toml": "[tool.greenroom]\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    console = Console(record=True, width=104, file=io.StringIO(), force_terminal=True)
    console.print("[bold]$ pytest --tb=line[/bold]")
    hidden = ("platform ", "rootdir", "plugins", "configfile", "asyncio:", "cachedir", "/")
    for line in run(folder, "--tb=line").splitlines():
        if not line.startswith(hidden):
            console.print(
                Text.from_ansi(line.replace(str(folder), "~/shop")),
                overflow="ellipsis",
                no_wrap=True,
            )
    svg = console.export_svg(title="greenroom", unique_id="greenroom")
    # The font is the reader's own: a picture fetches nothing.
    svg = "\n".join(line.rstrip() for line in svg.splitlines() if "cdnjs" not in line)
    (IMAGES / "terminal.svg").write_text(svg + "\n", encoding="utf-8")


def report(folder: Path) -> None:
    """The page of the orders' suite, without its last tests."""
    shutil.copytree(ROOT / "examples" / "orders", folder / "orders")
    run(folder / "orders", "--greenroom-report=html", "-k", "not greenroom_checks and not access")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("Chromium isn't installed.")
    subprocess.run(  # noqa: S603 - the browser, on a file of our own
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            "--force-device-scale-factor=1.5",
            "--window-size=1000,640",
            f"--user-data-dir={folder / 'browser'}",
            f"--screenshot={IMAGES / 'report.png'}",
            (folder / "orders" / "greenroom.html").as_uri(),
        ],
        check=True,
        capture_output=True,
    )


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for make in (terminal, report):
        with tempfile.TemporaryDirectory() as place:
            make(Path(place))
