"""Nothing real outside: a connection to another machine fails its test, and says what to do."""

from __future__ import annotations

import pytest

from tests.harness import Project, Result, app_source

WAYS = [
    *(f"async/{library}" for library in ("httpx", "httpx2", "aiohttp")),
    *(f"blocking/{library}" for library in ("httpx", "httpx2", "requests")),
    *(f"thread/{library}" for library in ("httpx2", "requests")),
    *(f"later/{library}" for library in ("httpx2", "requests", "aiohttp")),
]


def run(pytester: pytest.Pytester, test: str, *args: str, table: str = "", app: str = "") -> Result:
    files = {
        "main.py": app or app_source("outside"),
        "test_main.py": test,
        "pyproject.toml": f"[tool.greenroom]\n{table}",
    }
    return Project(files).run(pytester, "-p", "no:randomly", *args)


@pytest.mark.parametrize("way", WAYS)
def test_a_call_to_another_machine_fails_with_its_line(pytester: pytest.Pytester, way: str) -> None:
    """Whichever library makes it, and wherever it runs; nobody looks up the name."""
    test = f"""
def test_blocking(client):
    client.get("/{way}")

async def test_async(client):
    await client.get("/{way}")
"""
    result = run(pytester, test)
    result.counts(failed=2)
    result.says(
        "GR045 main.py:",
        "wanted to connect to api.example.com:443, which isn't this machine",
        "Fake it by the fixture outbound",
    )


@pytest.mark.parametrize("library", ["httpx2", "aiohttp", "requests"])
def test_an_app_that_swallows_the_error_fails_its_test_all_the_same(
    pytester: pytest.Pytester, library: str
) -> None:
    """A green test would say that the service was asked."""
    test = f"""
async def test_it(client):
    assert (await client.get("/swallowed/{library}")).json() == "nothing happened"

async def test_next(client):
    pass
"""
    result = run(pytester, test)
    result.counts(failed=1, passed=1)
    result.says("GR045 main.py:")


def test_a_bare_socket_an_address_and_a_name_are_refused(pytester: pytest.Pytester) -> None:
    """TCP, UDP and DNS, of the test's own code too; uvloop's connections as well."""
    test = """
import asyncio
import socket
import pytest
import uvloop

@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_tcp(client, address):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as one:
        one.connect(address)

def test_udp(client):
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.sendto(b"x", ("192.0.2.1", 53))

def test_name(client):
    socket.getaddrinfo("api.example.com", 443)

def test_uvloop(client):
    async def connect():
        await asyncio.open_connection("192.0.2.1", 80)
    uvloop.run(connect())
"""
    result = run(pytester, test)
    result.counts(failed=5)
    result.says("test_main.py:11 wanted to connect to 192.0.2.1:80", "192.0.2.1:53")


def test_this_machine_may_be_reached(pytester: pytest.Pytester) -> None:
    """Loopback by name and by address, a socket of the file system, a server's own bind."""
    test = """
import asyncio
import socket

async def test_it(client):
    async def answer(reader, writer):
        writer.close()
    server = await asyncio.start_server(answer, "localhost", 0)
    for one in server.sockets:
        host, port = one.getsockname()[:2]
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
    _, writer = await asyncio.open_connection("localhost", server.sockets[0].getsockname()[1])
    writer.close()
    server.close()

def test_unix(client, tmp_path_factory):
    one, two = socket.socketpair()
    one.close(), two.close()
    socket.getaddrinfo(socket.gethostname(), 0)
"""
    run(pytester, test).passed(2)


def test_what_is_allowed_is_let_through(pytester: pytest.Pytester) -> None:
    """By a marker or by the setting, one host or all; then the error is the network's own.

    The system itself refuses such an address: nothing is sent.
    """
    test = """
import socket
import pytest

def connect():
    with socket.socket() as one:
        with pytest.raises(OSError):
            one.connect(("255.255.255.255", 80))

@pytest.mark.outgoing("255.255.255.255")
def test_host(client):
    connect()

@pytest.mark.outgoing("allow")
def test_all(client):
    connect()

@pytest.mark.outgoing("block")
def test_none(client):
    connect()

def test_default(client):
    connect()
"""
    run(pytester, test).counts(passed=2, failed=2)
    again = run(pytester, test, table='outgoing = ["api.example.com", "255.255.255.255"]\n')
    again.counts(passed=3, failed=1)
    run(pytester, test, "--greenroom-outgoing=allow").counts(passed=3, failed=1)


def test_a_host_that_is_none_is_refused_before_any_test(pytester: pytest.Pytester) -> None:
    """In the marker and in the setting."""
    test = "import pytest\n@pytest.mark.outgoing('https://a.b/c')\ndef test_it(client): pass\n"
    marker = run(pytester, test)
    assert marker.code == 4
    marker.says("GR007", "outgoing('https://a.b/c')", "is no host")
    setting = run(pytester, "def test_it(client): pass", table='outgoing = "a b"\n')
    assert setting.code == 4
    setting.says("GR005", "'a b' is no host", '"block", "allow", or hosts')


def test_a_library_that_calls_home_by_itself_fails_no_test(pytester: pytest.Pytester) -> None:
    """Its thread has no line of the project's: the refusal is told at the end, once."""
    app = """
from fastapi import FastAPI
import telemetry
app = FastAPI()
@app.get("/")
def root(): return 1
"""
    library = """
import socket, threading
def beat():
    try:
        socket.create_connection(("telemetry.example.com", 443))
    except Exception:
        pass
def start():
    thread = threading.Thread(target=beat)
    thread.start()
    thread.join()
"""
    test = """
import sys
def test_it(client):
    import telemetry
    telemetry.start()
"""
    outside = pytester.path.parent / f"{pytester.path.name}-libraries" / "site-packages"
    outside.mkdir(parents=True)
    (outside / "telemetry.py").write_text(library)
    pytester.syspathinsert(outside)
    result = run(pytester, test, app=app)
    result.passed(1)
    result.says("greenroom: refused connections", "GR045 a library wanted to connect to telemetry")


def test_the_guard_is_gone_after_the_run(pytester: pytest.Pytester) -> None:
    """The next run in this process, and everybody else, finds the sockets as they were."""
    import socket
    from asyncio import BaseEventLoop

    before = (socket.getaddrinfo, socket.socket.connect, BaseEventLoop.create_connection)
    run(pytester, "def test_it(client): pass").passed(1)
    assert (socket.getaddrinfo, socket.socket.connect, BaseEventLoop.create_connection) == before


def test_mail_and_redis_are_told_their_own_fakes(pytester: pytest.Pytester) -> None:
    """The advice fits what is called."""
    test = """
import smtplib
import redis

def test_mail(client):
    smtplib.SMTP("smtp.example.com", 25)

def test_redis(client):
    redis.Redis("cache.example.com").ping()
"""
    result = run(pytester, test)
    result.counts(failed=2)
    result.says("Request the fixture mailbox", "Request the fixture fake_redis")


TASKS = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
import httpx, requests
from fastapi import FastAPI
app = FastAPI()
URL = "https://a.example.com/"

@app.get("/gather")
async def gathered():
    async with httpx.AsyncClient() as client:
        await asyncio.gather(client.get(URL), return_exceptions=True)

@app.get("/task")
async def task():
    async with httpx.AsyncClient() as client:
        try:
            await asyncio.create_task(client.get(URL))
        except Exception:
            pass

@app.get("/timeout")
async def timeout():
    async with httpx.AsyncClient() as client:
        try:
            await asyncio.wait_for(client.get(URL), 1)
        except Exception:
            pass

@app.get("/to-thread")
async def to_thread():
    try:
        await asyncio.to_thread(requests.get, URL)
    except Exception:
        pass

@app.get("/pool")
def pool():
    with ThreadPoolExecutor() as pool:
        try:
            pool.submit(requests.get, URL).result()
        except Exception:
            pass
"""


@pytest.mark.parametrize("way", ["gather", "task", "timeout", "to-thread", "pool"])
def test_a_task_or_a_thread_of_a_pool_is_its_starters(pytester: pytest.Pytester, way: str) -> None:
    """Its own stack holds a library's frames only; the app that swallows the error is told on all the same."""
    test = f"async def test_it(client): await client.get('/{way}')"
    result = run(pytester, test, app=TASKS)
    result.counts(failed=1)
    result.says("GR045 main.py:")


def test_this_machine_by_its_own_name_and_addresses(pytester: pytest.Pytester) -> None:
    """As servers that are started under them are called."""
    test = """
import asyncio, socket
import pytest
from greenroom.boundary.machine import is_this_machine

@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "::1", "[::1]", "0.0.0.0", "::ffff:127.0.0.1", "localhost",
                                  "a.localhost", socket.gethostname(), None, ""])
def test_here(host):
    assert is_this_machine(host)

@pytest.mark.parametrize("host", ["192.0.2.1", "example.com", "localhost.example.com", "::ffff:192.0.2.1", "1.1"])
def test_elsewhere(host):
    assert not is_this_machine(host)

async def test_it(client):
    async def answer(reader, writer):
        writer.close()
    try:
        server = await asyncio.start_server(answer, socket.gethostname(), 0)
    except OSError:
        return  # This machine's name leads to none of its interfaces.
    _, writer = await asyncio.open_connection(socket.gethostname(), server.sockets[0].getsockname()[1])
    writer.close()
    server.close()
"""
    run(pytester, test).passed(17)


def test_what_is_refused_in_a_fixtures_end_fails_its_test(pytester: pytest.Pytester) -> None:
    """Also if the fixture swallows it; and the next test isn't told of it."""
    test = """
import pytest, socket

@pytest.fixture
def ending():
    yield
    try:
        socket.create_connection(("192.0.2.1", 80))
    except Exception:
        pass

def test_a(client, ending):
    pass

def test_b(client):
    pass
"""
    result = run(pytester, test)
    result.counts(passed=2, errors=1)
    result.says("GR045 test_main.py:8 wanted to connect to 192.0.2.1:80")


def test_what_the_start_up_is_refused_is_no_tests(pytester: pytest.Pytester) -> None:
    """If it swallows it, that is told at the end; else the run ends, with advice that can be followed."""
    app = """
from contextlib import asynccontextmanager
import httpx
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    async with httpx.AsyncClient() as client:
        try:
            await client.get("https://config.example.com/")
        except Exception:
            pass
    yield

app = FastAPI(lifespan=lifespan)
"""
    test = "def test_a(client): pass\nasync def test_b(client): pass\n"
    result = run(pytester, test, app=app)
    result.passed(2)
    result.says("GR045 the app's start-up wanted to connect to config.example.com:443")
    raising = run(pytester, test, app=app.replace("pass\n    yield", "raise\n    yield"))
    raising.says(
        "GR045 main.py:10 wanted",
        "outgoing = 'config.example.com' in [tool.greenroom]",
        ".env.test",
    )
    allowed = run(pytester, test, app=app, table='outgoing = "config.example.com"\n')
    allowed.silent_about("GR045")


def test_an_allowance_ends_with_its_test(pytester: pytest.Pytester) -> None:
    """An address may be written in another way; every way to look a name up, and to send, is refused."""
    test = """
import socket, pytest

@pytest.mark.outgoing("FF02:0::1")
def test_address(client):
    with socket.socket(socket.AF_INET6) as one:
        with pytest.raises(OSError):
            one.connect(("ff02::1", 80))

def test_address_again(client):
    with socket.socket(socket.AF_INET6) as one:
        one.connect(("ff02::1", 80))

@pytest.mark.parametrize("look", ["gethostbyname", "gethostbyname_ex", "gethostbyaddr"])
def test_names(client, look):
    with pytest.raises(Exception, match="GR045"):
        getattr(socket, look)("a.example.com")

def test_sendmsg(client):
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.sendmsg([b"x"], [], 0, ("192.0.2.1", 53))
"""
    result = run(pytester, test)
    # Those that expect the refusal have swallowed it themselves.
    result.counts(passed=1, failed=5)


def test_the_addresses_of_an_allowed_name_are_allowed_for_that_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they were looked up; by whom doesn't matter."""
    import socket

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("255.255.255.255", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    test = """
import socket, pytest

@pytest.mark.outgoing("allowed.example.com")
def test_allowed(client):
    with pytest.raises(OSError):
        socket.create_connection(("allowed.example.com", 80))

def test_after(client):
    with socket.socket() as one:
        one.connect(("255.255.255.255", 80))
"""
    run(pytester, test).counts(passed=1, failed=1)


def test_a_proxy_on_this_machine_is_no_way_out(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Companies and CI have one: clients go by none while tests run."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    test = """
import requests, httpx, urllib.request
def test_requests(client):
    requests.get("http://api.example.com/")
def test_httpx(client):
    httpx.get("http://api.example.com/")
def test_urllib(client):
    urllib.request.urlopen("http://api.example.com/")
"""
    result = run(pytester, test)
    result.counts(failed=3)
    assert result.out.count("wanted to connect to api.example.com:80") >= 3
    monkeypatch.delenv("http_proxy")


def test_what_outbound_cannot_fake_is_not_advised(pytester: pytest.Pytester) -> None:
    """urllib's calls are refused, and no fake of them is promised."""
    test = """
import urllib.request
def test_it(client):
    urllib.request.urlopen("http://api.example.com/")
"""
    result = run(pytester, test)
    result.counts(failed=1)
    result.says(
        "GR045 test_main.py:4", "outbound fakes httpx, httpx2, requests and aiohttp: call by"
    )
    result.silent_about("Fake it by the fixture outbound")
