"""`greenroom init`: propose the settings, a first test and a workflow for a project that has none."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greenroom.facts.errors import Code, GreenroomError

if TYPE_CHECKING:
    from greenroom.facts.outcome import Planned
    from greenroom.facts.survey import Survey
    from greenroom.scaffold.project import Project
    from greenroom.scaffold.proposal import Proposal

#: How pytest ends if tests failed, and if there are none.
_ALL_PASSED, _SOME_FAILED, _NO_TESTS = 0, 1, 5
#: How many files a warning names.
_SHOWN = 3
_SERVICES = ("github", "gitlab", "none")


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("init", help="propose settings, a first test and a workflow")
    parser.add_argument("--yes", action="store_true", help="write without asking")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if something is proposed"
    )
    parser.add_argument(
        "--ci",
        choices=_SERVICES,
        metavar="|".join(_SERVICES),
        help="whose workflow; else it's guessed",
    )
    parser.add_argument(
        "--stubs",
        action="store_true",
        help="also a failing test for each answer that no test shows",
    )
    parser.add_argument(
        "--skill",
        nargs="?",
        type=Path,
        const=Path(),
        metavar="FILE",
        help="also a page that teaches coding assistants to write tests with greenroom",
    )
    parser.set_defaults(run=_init)


def _init(chosen: argparse.Namespace) -> int:
    from greenroom.runtime.activation import project_root
    from greenroom.runtime.survey import survey
    from greenroom.scaffold.project import look, settings_of

    here = Path.cwd()
    root = project_root([here, *here.parents]) or here
    proposals: list[Proposal] = []
    written: list[Proposal] = []
    notes: list[str] = []
    try:
        with contextlib.chdir(root):
            settings_of(root)  # A pyproject.toml that can't be read is told first.
            print(f"greenroom init in {root}: asking the app ...", flush=True)
            with _nothing_compiled():
                found = survey(root, os.environ)
            _say_what_was_found(found)
            _warn_of_uncommitted(root)
            proposals, notes = _base(look(root), found, chosen)
            if not found.declares:
                notes.append(
                    "greenroom isn't among the project's dependencies: "
                    f"{_how_to_declare(root, found)}"
                )
            _offer(root, proposals, chosen, written)
            if chosen.stubs:
                # The suite has to be there before it can be told what it doesn't show.
                now = look(root)
                more = _stubs(now, found)
                if not more and not now.collects("test_missing.py"):
                    notes.append("no stubs: python_files keeps pytest from files named test_*.py.")
                proposals = [*proposals, *more]
                _offer(root, more, chosen, written)
    finally:
        for note in notes:
            print(f"note: {note}")
        if written:
            print(f"{_count(len(written))} written. Now run: pytest")
    if chosen.check:
        # What git ignores is never in CI, whatever is done here.
        proposals = [one for one in proposals if not _ignored(root, [one])]
        print(f"{_count(len(proposals))} proposed." if proposals else "Nothing to do.")
        return int(bool(proposals))
    if not written:
        print("Nothing was written." if proposals else "Nothing to do.")
    return 0


@contextlib.contextmanager
def _nothing_compiled() -> Iterator[None]:
    """What is only asked gets no `__pycache__` beside it: git may not ignore that here."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _base(
    project: Project, found: Survey, chosen: argparse.Namespace
) -> tuple[list[Proposal], list[str]]:
    from greenroom.scaffold import ci, first_test, settings, skill

    notes: list[str] = []
    strict = True
    if project.tests and not settings.is_strict(project):
        strict = _is_collected_strictly(project.root, notes)
    major = int(metadata.version("pytest").partition(".")[0])
    configured, more = settings.pyproject(project, found, pytest=major, strict=strict)
    notes += more
    proposals = [configured, settings.env_file(project), first_test.first_test(project, found)]
    if chosen.ci != "none":
        top = _git(project.root, "rev-parse", "--show-toplevel")
        workflow, more = ci.workflow(
            project, found, chosen.ci, top=Path(top.strip()) if top else None
        )
        proposals.append(workflow)
        notes += more
    if chosen.skill is not None:
        proposals.append(
            skill.skill(
                project,
                None if chosen.skill == Path() else chosen.skill,
                is_wsgi=found.is_wsgi,
            )
        )
    there = [one for one in proposals if one is not None]
    notes += _ignored(project.root, there)
    if project.has(".env") and _git(project.root, "check-ignore", ".env"):
        notes.append(
            "git ignores .env, which the app may read here: what it can't start without belongs into .env.test, or "
            "it would be missing in CI."
        )
    return there, notes


def _is_collected_strictly(root: Path, notes: list[str]) -> bool:
    """Whether the suite is still collected where a mark that nobody has declared is an error."""
    collect = ["--collect-only", "-q"]
    if _pytest(root, *collect, "--strict-markers").returncode in {_ALL_PASSED, _NO_TESTS}:
        return True
    if _pytest(root, *collect).returncode not in {_ALL_PASSED, _NO_TESTS}:
        notes.append("strict markers are left out: the suite can't be collected as it is.")
    else:
        notes.append(
            "strict markers are left out: the suite uses marks that nobody has declared. Declare them "
            "under markers (pytest --strict-markers names them), then run greenroom init again."
        )
    return False


def _pytest(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suite, or collect it, and leave nothing behind."""
    return subprocess.run(  # noqa: S603 - pytest, by the interpreter that runs this
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=root,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _offer(
    root: Path, proposals: Sequence[Proposal], chosen: argparse.Namespace, written: list[Proposal]
) -> None:
    """Show each, and write those that are wanted."""
    from greenroom.scaffold.proposal import check_writable

    if not chosen.check:
        check_writable(root, proposals)
    ask = not (chosen.check or chosen.yes)
    for proposal in proposals:
        print(f"\n{proposal.path}: {proposal.why}")
        print(proposal.diff(), end="", flush=True)
        wanted = chosen.yes and not chosen.check
        if ask:
            try:
                wanted = input(f"Write {proposal.path}? [y/N] ").strip().lower() in {"y", "yes"}
            except EOFError:
                print("\nNobody answers: give --yes to write, or --check to look.")
                ask = False
        if wanted:
            proposal.write(root)
            written.append(proposal)
    if proposals:
        print()


def _stubs(project: Project, found: Survey) -> list[Proposal]:
    """The tests that are missing."""
    from greenroom.scaffold.stubs import stubs

    missing: Iterable[Planned] | None = _missing(project.root) if project.tests else None
    if missing is None:
        missing = (one for one in found.plan if not one.dropped)
    return stubs(project, missing, is_wsgi=found.is_wsgi)


def _missing(root: Path) -> list[Planned] | None:
    """Run the suite: what is planned, and no test looks at; None if it doesn't use greenroom yet."""
    from greenroom.runtime import outcomes

    with tempfile.TemporaryDirectory(prefix="greenroom-init-") as folder:
        file = Path(folder, "outcome.json")
        # All of it, whatever the project's own options leave out.
        whole = ("-q", "--maxfail=0", "-m", "", "-k", "")
        done = _pytest(root, *whole, f"--greenroom-report={file}")
        if done.returncode not in {_ALL_PASSED, _SOME_FAILED, _NO_TESTS}:
            raise GreenroomError(
                Code.INIT,
                f"the suite can't be run to see what it shows: pytest ended with {done.returncode}.",
                "Run pytest, correct what it says, then run greenroom init --stubs again.",
                detail="\n".join(
                    [*done.stdout.splitlines()[-20:], *done.stderr.splitlines()[-20:]]
                ),
            )
        return outcomes.read(file).gaps() if file.exists() else None


def _say_what_was_found(found: Survey) -> None:
    databases = (
        f", on {' and '.join(found.databases)}" if found.databases else ", without a database"
    )
    print(f"app {found.address or found.module} ({found.source}){databases}")
    if found.answer is None:
        print("none of what was asked was answered: there is no first test to propose")
    else:
        print(f"GET {found.answer.path} answers {found.answer.status}")


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; None if it isn't there, or this is no repository."""
    try:
        done = subprocess.run(  # noqa: S603 - git, asked about the folder
            ["git", *arguments],  # noqa: S607 - the user's own
            cwd=root,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _warn_of_uncommitted(root: Path) -> None:
    changed = (_git(root, "status", "--porcelain", ".") or "").splitlines()
    if changed:
        names = ", ".join(line[3:] for line in changed[:_SHOWN])
        more = ", ..." if len(changed) > _SHOWN else ""
        print(f"warning: not committed yet: {names}{more}. git diff will show both changes.")


def _ignored(root: Path, proposals: Sequence[Proposal]) -> list[str]:
    return [
        f"{proposal.path} is ignored by git ({rule.split(chr(9))[0]}): it would be missing in CI."
        for proposal in proposals
        if (rule := _git(root, "check-ignore", "-v", proposal.path.as_posix()))
    ]


def _how_to_declare(root: Path, found: Survey) -> str:
    from greenroom.scaffold.ci import requirement

    wanted = requirement(found)
    if (root / "uv.lock").exists():
        return f'uv add --dev "{wanted}"'
    if (root / "poetry.lock").exists():
        return f'poetry add --group dev "{wanted}"'
    return f'add "{wanted}" to what is installed for development'


def _count(files: int) -> str:
    return "One file" if files == 1 else f"{files} files"
