"""Password hashes that are cheap for as long as a test run lasts.

A password hash is costly on purpose: a fifth of a second each, which is most of what the set-up of many a
suite takes. Only its cost parameters are lowered. The algorithm stays, hashes of production still
verify, and a hash that is cheap for this reason alone isn't told to need an update.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

BCRYPT_ROUNDS = 4
#: argon2's least: one pass over 8 KiB, in one lane.
ARGON2 = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}

Replace = Callable[[Any, str, Any], None]


class Passwords:
    """Lowers the cost in each library the moment that it is imported."""

    def __init__(self) -> None:
        #: The libraries whose cost was lowered.
        self.lowered: list[str] = []
        self._undo = contextlib.ExitStack()

    def lower(self) -> None:
        """Begin. Nothing is imported that the app doesn't import itself."""
        finder = _Finder(self._seen)
        sys.meta_path.insert(0, finder)
        self._undo.callback(sys.meta_path.remove, finder)
        for name in LIBRARIES:
            if name in sys.modules:
                self._seen(name)

    def restore(self) -> None:
        """End. Harmless if called twice."""
        self._undo.close()

    def _seen(self, name: str) -> None:
        try:
            LIBRARIES[name](sys.modules[name], self._replace)
        except AttributeError:  # A stub of the name, which is somebody else's business.
            return
        library = name.partition(".")[0]
        if library not in self.lowered:
            self.lowered.append(library)

    def _replace(self, owner: Any, name: str, value: Any) -> None:
        # As it is written there: a class method is to be one again.
        self._undo.callback(setattr, owner, name, vars(owner)[name])
        setattr(owner, name, value)


# -- the libraries ---------------------------------------------------------------------------------


def _bcrypt(module: ModuleType, replace: Replace) -> None:
    original = module.gensalt

    def gensalt(rounds: int = 12, prefix: bytes = b"2b") -> bytes:
        original(rounds, prefix)  # What it refuses is refused.
        salt: bytes = original(min(rounds, BCRYPT_ROUNDS), prefix)
        return salt

    replace(module, "gensalt", gensalt)


def _argon2(module: ModuleType, replace: Replace) -> None:
    hasher = module.PasswordHasher
    original_hash, original_check = hasher.hash, hasher.check_needs_rehash

    def cheap(like: Any) -> Any:
        return hasher(
            **ARGON2,
            hash_len=like.hash_len,
            salt_len=like.salt_len,
            encoding=like.encoding,
            type=like.type,
        )

    def hash_(self: Any, password: str | bytes, **options: Any) -> str:
        hashed: str = original_hash(cheap(self), password, **options)
        return hashed

    def check_needs_rehash(self: Any, hash: str | bytes) -> bool:  # noqa: A002 - the library's name
        return bool(original_check(self, hash)) and bool(original_check(cheap(self), hash))

    replace(hasher, "hash", hash_)
    replace(hasher, "check_needs_rehash", check_needs_rehash)


def _pwdlib_bcrypt(module: ModuleType, replace: Replace) -> None:
    hasher = module.BcryptHasher
    original = hasher.check_needs_rehash

    def check_needs_rehash(self: Any, hash: str | bytes) -> bool:  # noqa: A002 - the library's name
        cheap = hasher(BCRYPT_ROUNDS, self.prefix.decode())
        return bool(original(self, hash)) and bool(original(cheap, hash))

    replace(hasher, "check_needs_rehash", check_needs_rehash)


def _passlib(module: ModuleType, replace: Replace) -> None:
    has_rounds = module.HasRounds
    original_rounds = has_rounds._generate_rounds.__func__  # noqa: SLF001 - there is no public way
    original_check = has_rounds._calc_needs_update  # noqa: SLF001

    def cheapest(cls: Any) -> int:
        return int(cls.min_rounds or 1)

    def _generate_rounds(cls: Any) -> int:
        return min(int(original_rounds(cls)), cheapest(cls))

    def _calc_needs_update(self: Any, **options: Any) -> bool:
        rounds = self.rounds
        if rounds == cheapest(type(self)):
            self.rounds = self.min_desired_rounds or self.default_rounds or rounds
        try:
            return bool(original_check(self, **options))
        finally:
            self.rounds = rounds

    replace(has_rounds, "_generate_rounds", classmethod(_generate_rounds))
    replace(has_rounds, "_calc_needs_update", _calc_needs_update)


def _passlib_argon2(module: ModuleType, replace: Replace) -> None:
    common, backend = module._Argon2Common, module._CffiBackend  # noqa: SLF001
    original_hash, original_check = backend.hash.__func__, common._calc_needs_update  # noqa: SLF001
    lowered = {
        "default_rounds": ARGON2["time_cost"],
        "memory_cost": ARGON2["memory_cost"],
        "parallelism": ARGON2["parallelism"],
    }

    def hash_(cls: Any, secret: str | bytes) -> str:
        hashed: str = original_hash(type(cls.__name__, (cls,), lowered), secret)
        return hashed

    def _calc_needs_update(self: Any, **options: Any) -> bool:
        names = ("rounds", "memory_cost", "parallelism")
        was = [getattr(self, name) for name in names]
        if was == [ARGON2["time_cost"], ARGON2["memory_cost"], ARGON2["parallelism"]]:
            self.rounds, self.memory_cost = type(self).default_rounds, type(self).memory_cost
            self.parallelism = type(self).parallelism
        try:
            return bool(original_check(self, **options))
        finally:
            self.rounds, self.memory_cost, self.parallelism = was

    replace(backend, "hash", classmethod(hash_))
    replace(common, "_calc_needs_update", _calc_needs_update)


#: The modules that hash, each with what lowers its cost.
LIBRARIES: dict[str, Callable[[ModuleType, Replace], None]] = {
    "bcrypt": _bcrypt,
    "argon2._password_hasher": _argon2,
    "pwdlib.hashers.bcrypt": _pwdlib_bcrypt,
    "passlib.utils.handlers": _passlib,
    "passlib.handlers.argon2": _passlib_argon2,
}


# -- the moment of an import -----------------------------------------------------------------------


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, seen: Callable[[str], None]) -> None:
        self._seen = seen
        self._looking: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in LIBRARIES or name in self._looking:
            return None
        self._looking.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._looking.discard(name)
        if spec is not None and spec.loader is not None:
            _tell(spec.loader, lambda: self._seen(name))
        return spec


def _tell(loader: Any, done: Callable[[], None]) -> None:
    """Have a loader say when its module has been executed."""
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        done()

    loader.exec_module = exec_module
