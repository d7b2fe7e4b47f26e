"""Password hashes cost little while tests run, and are what they are otherwise."""

from __future__ import annotations

import sys

import pytest

from greenroom.app.passwords import LIBRARIES, Passwords
from tests.harness import Project

APP = """
import argon2
from bcrypt import checkpw, gensalt, hashpw
from fastapi import FastAPI
from passlib.context import CryptContext
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

app = FastAPI()
argon = argon2.PasswordHasher()
pwd = PasswordHash((Argon2Hasher(), BcryptHasher()))
old = PasswordHash((BcryptHasher(),))
context = CryptContext(schemes=["bcrypt"], bcrypt__rounds=12)
crypt = CryptContext(schemes=["pbkdf2_sha256", "sha512_crypt", "argon2"], deprecated="auto")
"""


def project(files: dict[str, str]) -> Project:
    return Project(files).with_pyproject("[tool.greenroom]\n")


TEST = """
import re
from main import argon, checkpw, context, crypt, gensalt, hashpw, old, pwd

def test_bcrypt():
    hashed = hashpw(b"secret", gensalt())
    assert hashed.startswith(b"$2b$04$")
    assert hashpw(b"secret", gensalt(rounds=14, prefix=b"2a")).startswith(b"$2a$04$")
    assert checkpw(b"secret", hashed) and not checkpw(b"other", hashed)

def test_argon2():
    hashed = argon.hash("secret")
    assert "m=8,t=1,p=1" in hashed
    assert argon.verify(hashed, "secret")
    assert not argon.check_needs_rehash(hashed)
    assert argon.check_needs_rehash(hashed.replace("t=1", "t=2"))

def test_pwdlib():
    for hasher, cost in ((pwd, "m=8,t=1,p=1"), (old, "$04$")):
        hashed = hasher.hash("secret")
        assert cost in hashed
        assert hasher.verify_and_update("secret", hashed) == (True, None)
        assert not hasher.verify("other", hashed)
    assert pwd.verify_and_update("secret", old.hash("secret"))[1] is not None

def test_passlib():
    for one, scheme, cost in (
        (context, "bcrypt", r"\\$04\\$"),
        (crypt, "pbkdf2_sha256", r"\\$1\\$"),
        (crypt, "sha512_crypt", r"rounds=1000\\$"),
        (crypt, "argon2", "m=8,t=1,p=1"),
    ):
        hashed = one.hash("secret", scheme=scheme)
        assert re.search(cost, hashed), hashed
        assert one.verify("secret", hashed) and not one.verify("other", hashed)
        assert one.needs_update(hashed) == (scheme in ("sha512_crypt", "argon2"))

def test_no_cheap_hash_is_told_to_need_an_update():
    from argon2 import PasswordHasher, Type
    from passlib.context import CryptContext
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher
    for hasher in (PasswordHasher(hash_len=64), PasswordHasher(salt_len=32), PasswordHasher(type=Type.I)):
        assert not hasher.check_needs_rehash(hasher.hash("x"))
    long = PasswordHash((Argon2Hasher(hash_len=64),))
    assert long.verify_and_update("x", long.hash("x")) == (True, None)
    for scheme in ("argon2", "bcrypt", "pbkdf2_sha256", "sha512_crypt"):
        one = CryptContext(schemes=[scheme], deprecated="auto")
        assert not one.needs_update(one.hash("x")), scheme

def test_what_a_library_refuses_is_refused():
    import pytest
    with pytest.raises(ValueError):
        gensalt(rounds=3)
"""


def test_the_cost_is_the_least_and_nothing_else_changes(pytester: pytest.Pytester) -> None:
    """Of each library, however the app imports it; the header says so."""
    result = project({"main.py": APP, "test_it.py": TEST}).run_subprocess(pytester)
    result.passed(6)
    assert "cheap passwords (argon2, bcrypt, passlib, pwdlib)" in result.header()


EXISTING = """
from main import argon, checkpw, context, crypt, gensalt, hashpw, old, pwd
from hashes import HASHES

def test_it():
    assert checkpw(b"secret", HASHES["bcrypt"])
    assert argon.verify(HASHES["argon2"], "secret")
    assert not argon.check_needs_rehash(HASHES["argon2"])
    assert crypt.verify("secret", HASHES["argon2"])
    assert old.verify_and_update("secret", HASHES["bcrypt"].decode()) == (True, None)
    assert context.verify("secret", HASHES["bcrypt"].decode())
    assert not context.needs_update(HASHES["bcrypt"].decode())
"""


def test_hashes_of_production_still_verify(pytester: pytest.Pytester) -> None:
    """And aren't told to need an update."""
    import argon2
    import bcrypt

    hashes = {
        "bcrypt": bcrypt.hashpw(b"secret", bcrypt.gensalt(12)),
        "argon2": argon2.PasswordHasher().hash("secret"),
    }
    files = {"main.py": APP, "test_it.py": EXISTING, "hashes.py": f"HASHES = {hashes!r}"}
    project(files).run_subprocess(pytester).passed(1)


REAL = """
from main import argon, gensalt
def test_it():
    assert gensalt().startswith(b"$2b$12$")
    assert "m=65536" in argon.hash("secret")
"""


def test_the_apps_own_cost_can_be_asked_for(pytester: pytest.Pytester) -> None:
    """By `passwords = "real"`; the header is silent then."""
    made = project({"main.py": APP, "test_it.py": REAL})
    result = made.with_pyproject('[tool.greenroom]\npasswords = "real"\n').run_subprocess(pytester)
    result.passed(1)
    assert "passwords" not in result.header()


def test_libraries_that_the_app_does_not_use_are_not_imported(pytester: pytest.Pytester) -> None:
    """They cost time."""
    test = f"""
import sys
def test_it(client):
    assert not set(sys.modules) & {set(LIBRARIES)!r}
"""
    main = "from fastapi import FastAPI\napp = FastAPI()\n"
    project({"main.py": main, "test_it.py": test}).run_subprocess(pytester).passed(1)


def test_everything_is_as_before_after_the_run() -> None:
    """Another run in the same process may want the real cost."""
    import argon2
    import bcrypt
    import passlib.handlers.argon2  # type: ignore[import-untyped]
    import passlib.utils.handlers  # type: ignore[import-untyped]
    import pwdlib.hashers.bcrypt

    owners = [
        (bcrypt, "gensalt"),
        (argon2.PasswordHasher, "hash"),
        (argon2.PasswordHasher, "check_needs_rehash"),
        (pwdlib.hashers.bcrypt.BcryptHasher, "check_needs_rehash"),
        (passlib.utils.handlers.HasRounds, "_generate_rounds"),
        (passlib.utils.handlers.HasRounds, "_calc_needs_update"),
        (passlib.handlers.argon2._CffiBackend, "hash"),
        (passlib.handlers.argon2._Argon2Common, "_calc_needs_update"),
    ]
    before = [vars(owner)[name] for owner, name in owners]
    finders = list(sys.meta_path)
    passwords = Passwords()
    passwords.lower()
    assert all(
        vars(owner)[name] is not was for (owner, name), was in zip(owners, before, strict=True)
    )
    passwords.restore()
    passwords.restore()
    assert [vars(owner)[name] for owner, name in owners] == before
    assert sys.meta_path == finders
