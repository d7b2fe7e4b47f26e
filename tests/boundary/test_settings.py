"""`settings(...)`: fields of the app's pydantic-settings objects, for one test, wherever the app holds them."""

from __future__ import annotations

import pytest

from tests.harness import Project, Result

CONFIG = """
from functools import lru_cache
from typing import Annotated
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    name: str = "shop"
    limit: Annotated[int, Field(gt=0)] = 10
    key: SecretStr = SecretStr("real")

class Mail(BaseSettings):
    model_config = {"env_prefix": "MAIL_", "frozen": True}
    host: str = "smtp.example.com"

settings = Settings()

@lru_cache
def get_settings() -> Settings:
    return Settings()

@lru_cache
def get_mail() -> "Mail":
    return Mail()

@lru_cache
def get_greeting() -> str:
    return f"welcome to {get_settings().name}"

@lru_cache
def square(number: int) -> int:
    return number * number
"""
APP = """
from typing import Annotated
from fastapi import Depends, FastAPI
from config import Mail, Settings, get_greeting, get_mail, get_settings, settings

app = FastAPI()

@app.get("/")
def read(own: Annotated[Settings, Depends(get_settings)], mail: Annotated[Mail, Depends(get_mail)]):
    return [settings.name, own.name, own.limit, Settings().name, mail.host, get_greeting(),
            own.key.get_secret_value()]
"""
DEFAULTS = ["shop", "shop", 10, "shop", "smtp.example.com", "welcome to shop", "real"]


def run(pytester: pytest.Pytester, test: str, **files: str) -> Result:
    known = {
        "config.py": CONFIG,
        "main.py": APP,
        "test_main.py": test,
        "pyproject.toml": "[tool.greenroom]\n",
    }
    return Project({**known, **files}).run(pytester, "-p", "no:randomly")


def test_a_field_is_set_for_one_test(pytester: pytest.Pytester) -> None:
    """In the module's object, in that of a cached getter, in new ones, and in what was made from them."""
    test = f"""
DEFAULTS = {DEFAULTS}

def test_before(client):
    assert client.get("/").json() == DEFAULTS

def test_set(client, settings):
    settings(name="bar", limit="3", key="fake")
    settings(host="localhost")
    assert client.get("/").json() == ["bar", "bar", 3, "bar", "localhost", "welcome to bar", "fake"]

def test_after(client):
    assert client.get("/").json() == DEFAULTS

async def test_twice(client, settings):
    settings(name="one")
    settings(name="two")
    assert (await client.get("/")).json()[:2] == ["two", "two"]

def test_after_that(client):
    import config
    assert client.get("/").json() == DEFAULTS
    assert config.settings.model_fields_set == set()
"""
    run(pytester, test).passed(5)


def test_it_is_set_before_the_first_request(pytester: pytest.Pytester) -> None:
    """A getter that nobody has called yet gets it too; one with arguments keeps what it knows."""
    test = f"""
import config
def test_set(client, settings):
    config.square(3)
    settings(name="bar")
    assert client.get("/").json()[:4] == ["bar", "bar", 10, "bar"]
    assert config.square.cache_info().currsize == 1

def test_after(client):
    assert client.get("/").json() == {DEFAULTS}
"""
    run(pytester, test).passed(2)


def test_an_engine_that_a_getter_keeps_is_kept(pytester: pytest.Pytester) -> None:
    """The test's database stays the same."""
    config = CONFIG.replace(
        "@lru_cache\ndef square",
        "@lru_cache\ndef get_engine():\n    from sqlalchemy import create_engine\n"
        "    return create_engine('sqlite:///own.db')\n\n@lru_cache\ndef square",
    )
    test = """
import config
def test_it(client, settings):
    before = config.get_engine()
    settings(name="bar")
    assert config.get_engine() is before
"""
    run(pytester, test, **{"config.py": config}).passed(1)


def test_what_cannot_be_set_is_told(pytester: pytest.Pytester) -> None:
    """A field that isn't there, a value that it doesn't take (and isn't shown), one of two classes."""
    test = """
import pytest
from main import Mail, Settings

def test_unknown(client, settings):
    with pytest.raises(Exception, match="GR049 the app's settings have no field nmae.\\nDid you mean name?"):
        settings(nmae="x")

def test_value(client, settings):
    with pytest.raises(Exception, match="GR049 Settings.limit doesn't take that value") as error:
        settings(limit="s3cret")
    assert "s3cret" not in str(error.value)

def test_constraint(client, settings):
    with pytest.raises(Exception, match="GR049 Settings.limit doesn't take that value: .*greater than 0"):
        settings(limit=0)

def test_class(client, settings):
    settings(Mail, host="a")
    with pytest.raises(Exception, match="GR049 the app's settings have no field host"):
        settings(Settings, host="a")
"""
    run(pytester, test).passed(4)
    two = CONFIG.replace("host: str =", "name: str = 'mail'\n    host: str =")
    test = """
import pytest
from main import Mail
def test_two(client, settings):
    with pytest.raises(Exception, match="GR049 Mail and Settings have a field name.\\nSay which: settings.Mail"):
        settings(name="x")
    settings(Mail, name="x")
"""
    run(pytester, test, **{"config.py": two}).passed(1)


def test_an_app_without_pydantic_settings_is_told_so(pytester: pytest.Pytester) -> None:
    """And what to use instead."""
    import sys

    hidden = {
        name: sys.modules.pop(name) for name in list(sys.modules) if "pydantic_settings" in name
    }
    try:
        app = "from fastapi import FastAPI\napp = FastAPI()\n"
        test = "def test_it(client, settings): settings(debug=True)\n"
        result = run(pytester, test, **{"main.py": app, "config.py": ""})
    finally:
        sys.modules.update(hidden)
    result.counts(failed=1)
    result.says("GR049 settings was called, and the app doesn't use pydantic-settings.")


KEPT = """
from functools import lru_cache, cached_property
from typing import Annotated, Optional
import enum
from pydantic import computed_field, field_validator, model_validator
from pydantic_settings import BaseSettings
from fastapi import FastAPI

class Mode(enum.Enum):
    DEV = "dev"
    PROD = "prod"

class Base(BaseSettings):
    debug: bool = False

class Dev(Base):
    name: str = "dev"
    origins: list[str] = []
    mode: Mode = Mode.DEV
    upper: str = ""
    model_config = {"use_enum_values": True}

    @field_validator("name")
    @classmethod
    def no_nonsense(cls, value):
        if value == "nonsense": raise ValueError("that is nonsense")
        return value

    @field_validator("origins", mode="before")
    @classmethod
    def split(cls, value):
        return value.split(",") if isinstance(value, str) else value

    @model_validator(mode="after")
    def derive(self):
        self.__dict__["upper"] = self.name.upper()
        return self

    @computed_field
    @cached_property
    def dsn(self) -> str:
        return f"pg/{self.name}"

class Needed(BaseSettings):
    api_key: str

@lru_cache
def get_plain(): return Dev()
@lru_cache
def get_optional() -> Optional[Dev]: return Dev()
@lru_cache
def get_needed() -> Needed: return Needed()
one = None
def get_single():
    global one
    if one is None: one = Dev()
    return one
class Holder:
    own = None

app = FastAPI()
@app.get("/")
def read():
    Holder.own = Holder.own or Dev()
    return [get_plain().name, get_optional().name, get_single().name, Holder.own.name, get_single().dsn]
"""


def test_nothing_of_a_test_stays_in_what_was_made_during_it(pytester: pytest.Pytester) -> None:
    """Whoever keeps it: a getter that doesn't say what it gives, a global, a class; cached properties, too."""
    test = """
import pytest
from main import *

DEV = ["dev", "dev", "dev", "dev", "pg/dev"]

def test_first(client, settings):
    settings(name="bar")
    assert client.get("/").json() == ["bar"] * 4 + ["pg/bar"]

def test_second(client):
    assert client.get("/").json() == DEV

def test_third(client, settings):
    settings(name="baz")
    assert client.get("/").json() == ["baz"] * 4 + ["pg/baz"]
    assert Dev(name="explicit").name == "explicit"

def test_fourth(client):
    assert client.get("/").json() == DEV

def test_needed(client, settings):
    settings(api_key="k")
    assert get_needed().api_key == Needed().api_key == "k"

def test_validators(client, settings):
    client.get("/")
    with pytest.raises(Exception, match="GR049 Dev.name doesn't take that value: .*that is nonsense"):
        settings(name="nonsense")
    settings(origins="a,b", mode=Mode.PROD)
    assert get_plain().origins == ["a", "b"] and get_plain().mode == "prod"

def test_derived(client, settings):
    client.get("/")
    settings(name="x")
    assert get_plain().upper == "X"

def test_a_base(client, settings):
    client.get("/")
    settings(debug=True)
    assert get_plain().debug and Dev().debug

def test_a_base_by_name(client, settings):
    client.get("/")
    settings(Base, debug=True)
    assert get_plain().debug and Dev().debug
"""
    run(pytester, test, **{"main.py": KEPT, "config.py": ""}).passed(9)


def test_an_object_that_its_class_refused_is_no_obstacle(pytester: pytest.Pytester) -> None:
    """It lives on, half made, in the traceback that somebody keeps."""
    main = """
from fastapi import FastAPI
from pydantic_settings import BaseSettings
class Settings(BaseSettings):
    size: int = 1
settings = Settings()
app = FastAPI()
"""
    test = """
import main
import pytest
kept = []
def test_a():
    with pytest.raises(ValueError) as error: main.Settings(size="much")
    kept.append(error)
def test_b(settings):
    settings(size=2)
    assert main.settings.size == 2
"""
    files = {"main.py": main, "test_it.py": test, "pyproject.toml": "[tool.greenroom]\n"}
    Project(files).run(pytester, "-p", "no:randomly").passed(2)
