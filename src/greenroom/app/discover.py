"""Find the app without importing anything.

The order is: what the project says of greenroom, what it says of FastAPI, and last the places where
`fastapi dev` looks, in the project's folder and under `src/`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from greenroom.app.target import Target, parse
from greenroom.config.places import PLACES, ROOTS
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.setting import Setting

ENTRYPOINT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*\Z")
#: The classes whose instances are apps, as their constructors are written in source.
CLASSES = frozenset({"FastAPI", "Starlette", "Litestar", "Quart", "Flask"})


@dataclass(frozen=True, slots=True)
class _Candidate:
    file: Path
    root: Path
    creates: bool


def find(root: Path, setting: Setting[str | None], entrypoint: str | None) -> Target | None:
    """The app's address, or None where there is none to be found.

    :param root: the project's folder.
    :param setting: greenroom's own `app` option.
    :param entrypoint: `[tool.fastapi] entrypoint`.
    :raises GreenroomError: if two places hold an app of their own.
    """
    if setting.value is not None:
        return parse(setting.value, import_root(root, setting.value), setting.source)
    if entrypoint is not None:
        if not ENTRYPOINT.match(entrypoint):
            raise GreenroomError(
                Code.CONFIGURATION,
                f"[tool.fastapi] entrypoint: {entrypoint!r} is not of the form module:attribute.",
                'Write it as entrypoint = "shop.main:app".',
            )
        return parse(entrypoint, import_root(root, entrypoint), "[tool.fastapi]")
    candidates = list(_candidates(root))
    creating = [candidate for candidate in candidates if candidate.creates]
    if len(creating) > 1:
        names = [candidate.file.relative_to(root).as_posix() for candidate in creating]
        raise GreenroomError(
            Code.TWO_APPS,
            f"two apps could be meant: {' and '.join(names)} each make one.",
            'Say which: [tool.greenroom] app = "module:attribute" in pyproject.toml.',
        )
    if not candidates:
        return _flask_factory(root)
    chosen = candidates[0]
    found = chosen.file.relative_to(root).as_posix()
    path = _import_path(chosen)
    module = ".".join(chosen.file.relative_to(path).with_suffix("").parts)
    return Target(module, None, factory=False, path=path, source=f"found in {found}")


def has_place(root: Path) -> bool:
    """Whether one of the places exists at all. Cheap: it opens no file."""
    return any((root / name / place).is_file() for name in ROOTS for place in PLACES)


def has_app(root: Path) -> bool:
    """Whether one of the places holds an app."""
    return any(True for _ in _candidates(root)) or _flask_factory(root) is not None


def import_root(root: Path, text: str) -> Path:
    """The folder from which the target's module is importable: the project's, or its `src`."""
    first = text.partition(":")[0].partition(".")[0]
    for name in ROOTS:
        folder = root / name
        if (folder / first).is_dir() or (folder / f"{first}.py").is_file():
            return folder.resolve()
    return root.resolve()


def no_app(root: Path) -> GreenroomError:
    """The error for a project without an app: it lists every place that was looked at."""
    looked = ", ".join((Path(folder) / place).as_posix() for folder in ROOTS for place in PLACES)
    return GreenroomError(
        Code.NO_APP,
        f"no app was found in {root}.",
        "Looked at: app in [tool.greenroom], GREENROOM_APP, --greenroom-app, "
        f"entrypoint in [tool.fastapi], and for a FastAPI() in {looked}.\n"
        'Say where it is: [tool.greenroom] app = "module:attribute" in pyproject.toml '
        '("module:create_app()" for a factory).',
    )


def _candidates(root: Path) -> Iterator[_Candidate]:
    for name in ROOTS:
        folder = (root / name).resolve()
        for place in PLACES:
            file = folder / place
            if file.is_file():
                creates = _looks_like_app(file)
                if creates is not None:
                    yield _Candidate(file, folder, creates)


def _flask_factory(root: Path) -> Target | None:
    """Flask's own convention: a package, or a module in one of the places, with `create_app`."""
    for name in ROOTS:
        folder = (root / name).resolve()
        places = [folder / place for place in (*PLACES, "wsgi.py")]
        for file in (*places, *sorted(folder.glob("*/__init__.py"))):
            tree = _parsed(file) if file.is_file() else None
            if tree is None or "flask" not in _imported(file):
                continue
            for node in tree.body:
                if isinstance(node, ast.FunctionDef) and node.name == "create_app":
                    names = {one.arg for one in (*node.args.args, *node.args.kwonlyargs)}
                    keywords = (("testing", True),) if "testing" in names else ()
                    inner = file.parent if file.name == "__init__.py" else file.with_suffix("")
                    module = ".".join(inner.relative_to(folder).parts)
                    found = f"found in {file.relative_to(root.resolve()).as_posix()}"
                    return Target(module, "create_app", True, folder, found, keywords)
    return None


def _import_path(candidate: _Candidate) -> Path:
    """The folder from which the module is imported.

    Above the topmost package, as FastAPI's command has it. A folder that isn't a package is taken as
    a namespace (`app.main`), which is how tests import it, unless the module imports its neighbours
    by their bare names, as a script does.
    """
    folder = candidate.file.parent
    if (folder / "__init__.py").is_file():
        while (folder / "__init__.py").is_file():
            folder = folder.parent
        return folder
    if folder == candidate.root:
        return folder
    bare = {name for name in _imported(candidate.file) if (folder / f"{name}.py").is_file()}
    return folder if bare else candidate.root


def _parsed(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _imported(file: Path) -> set[str]:
    """The first parts of the modules that a file imports, but for relative ones."""
    tree = _parsed(file)
    names: set[str] = set()
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def _looks_like_app(file: Path) -> bool | None:
    """True if the module makes an app, False if it only names one, None if neither."""
    tree = _parsed(file)
    if tree is None:
        # A file that doesn't parse is left to the import, which shows the error at its line.
        return False if file.name == "main.py" else None
    found = [_makes_or_names(node) for node in _top_level(tree.body)]
    if True in found:
        return True
    return False if False in found else None


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported, also those inside if, try and with."""
    for node in body:
        yield node
        for name in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With)):
                yield from _top_level(getattr(node, name, []))


def _makes_or_names(node: ast.stmt) -> bool | None:
    if isinstance(node, ast.ImportFrom):
        names = {alias.asname or alias.name for alias in node.names}
        return False if names & {"app", "api"} else None
    if not isinstance(node, (ast.Assign, ast.AnnAssign)):
        return None
    if isinstance(node.value, ast.Call) and _constructor(node.value) in CLASSES:
        return True
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    named = {target.id for target in targets if isinstance(target, ast.Name)}
    return False if named & {"app", "api"} else None


def _constructor(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""
