"""Fakes of services by `outbound`, for every HTTP library: what is called is answered, recorded and held to it."""

from __future__ import annotations

import pytest

from tests.boundary.test_outgoing import WAYS
from tests.harness import Project, Result, app_source


def run(pytester: pytest.Pytester, test: str, *args: str, app: str = "") -> Result:
    files = {
        "main.py": app or app_source("outside"),
        "test_main.py": test,
        "pyproject.toml": "[tool.greenroom]\n",
    }
    return Project(files).run(pytester, "-p", "no:randomly", *args)


@pytest.mark.parametrize("way", [*WAYS, "own-thread/requests"])
def test_a_faked_service_answers_every_library(pytester: pytest.Pytester, way: str) -> None:
    """In async and blocking code, in a thread, after the answer; and the call is recorded."""
    test = f"""
import main
URL = main.URL

def check(outbound, answer):
    if answer is None:
        answer = main.done.pop()
    assert list(answer) == [201, {{"rate": 7}}]
    (call,) = outbound.calls
    assert (call.method, call.url) == ("POST", URL + "?day=1")
    assert call.json == {{"by": "{way.rpartition("/")[2]}"}}
    assert call.params == {{"day": "1"}}
    assert call.headers["content-type"] == "application/json"

def test_blocking(client, outbound):
    outbound.post(URL).reply(201, json={{"rate": 7}})
    check(outbound, client.get("/{way}").json())

async def test_async(client, outbound):
    route = outbound.post(URL).reply(201, json={{"rate": 7}})
    check(outbound, (await client.get("/{way}")).json())
    assert route.called
"""
    run(pytester, test).passed(2)


@pytest.mark.parametrize("library", ["httpx", "httpx2", "aiohttp", "requests"])
def test_failures_delays_and_series_are_the_librarys_own(
    pytester: pytest.Pytester, library: str
) -> None:
    """What the app catches in production it catches here."""
    test = f"""
import main

async def ask(client):
    response = await client.get("/handled/{library}")
    return response.status_code, response.json()

async def test_connect(client, outbound):
    outbound.post(main.URL).fails()
    status, body = await ask(client)
    assert status == 503
    assert body["detail"] in ("ConnectError", "ConnectionError", "ClientConnectorError")

async def test_timeout(client, outbound):
    outbound.post(main.URL).fails("timeout")
    status, body = await ask(client)
    assert (status, "Timeout" in body["detail"]) == (503, True)

async def test_a_delay_beyond_what_the_caller_waits_for(client, outbound):
    outbound.post(main.URL).reply(200, json=1, delay=1000)
    if "{library}" != "requests":  # It waits for ever if it isn't told.
        status, body = await ask(client)
        assert (status, "Timeout" in body["detail"]) == (503, True)
    else:
        import pytest, requests
        with pytest.raises(requests.ReadTimeout):
            requests.post(main.URL, timeout=0.1)

async def test_a_delay(client, outbound):
    outbound.post(main.URL).reply(200, json=1, delay=0.01)
    assert await ask(client) == (200, [200, 1])

async def test_an_exception_of_ones_own(client, outbound):
    outbound.post(main.URL).fails(TimeoutError("mine"))
    assert (await ask(client))[0] == 503

async def test_one_after_the_other(client, outbound):
    route = outbound.post(main.URL).fails().reply(200, json=1).reply(200, json=2)
    assert [(await ask(client))[0] for _ in range(4)] == [503, 200, 200, 200]
    assert len(route.calls) == 4
"""
    run(pytester, test).passed(6)


def test_a_call_with_no_route_is_an_error(pytester: pytest.Pytester) -> None:
    """Also where the app swallows it; and it names the line, the routes, and what to add."""
    test = """
import main, pytest

@pytest.mark.parametrize("library", ["httpx2", "aiohttp", "requests"])
async def test_swallowed(client, outbound, library):
    outbound.get("https://other.example.com/*").optional()
    await client.get(f"/swallowed/{library}")
"""
    result = run(pytester, test)
    result.counts(failed=3)
    result.says(
        "GR046 main.py:",
        "called POST https://api.example.com/rates?day=1, which no route of outbound claims",
        "The routes: GET https://other.example.com/*",
        "Add outbound.post('https://api.example.com/rates').reply(...)",
    )


def test_a_route_that_is_never_called_is_an_error(pytester: pytest.Pytester) -> None:
    """Unless it's optional; a test that has failed already isn't told that, too."""
    test = """
import main

def test_never(client, outbound):
    outbound.get("https://api.example.com/a").reply(200)
    outbound.get("https://api.example.com/b").optional()

def test_failed(client, outbound):
    outbound.get("https://api.example.com/c").reply(200)
    assert 1 == 2
"""
    result = run(pytester, test)
    result.counts(failed=2)
    result.says("GR046 GET https://api.example.com/a was never called.")
    result.silent_about("example.com/b was", "example.com/c was")


def test_what_a_route_claims(pytester: pytest.Pytester) -> None:
    """Stars in its path, what it has of the query, ports, methods; nothing else of the host."""
    test = """
import httpx2 as httpx
import pytest

def test_it(client, outbound):
    outbound.get("https://a.example.com/users/*/posts").reply(200, text="posts")
    outbound.get("https://a.example.com/search?q=x").reply(200, json=["x"])
    outbound.get("http://a.example.com:8080/").reply(204)
    outbound.delete("https://a.example.com/").reply(200, content=b"\\x00", headers={"X-One": "1"})
    assert httpx.get("https://a.example.com/users/7/posts").text == "posts"
    assert httpx.get("https://a.example.com/search?page=2&q=x").json() == ["x"]
    assert httpx.get("http://a.example.com:8080").status_code == 204
    answer = httpx.delete("https://A.example.com:443/")
    assert (answer.content, answer.headers["x-one"]) == (b"\\x00", "1")

@pytest.mark.parametrize("url", ["http://a.example.com/", "https://b.example.com/", "https://a.example.com/x"])
def test_others(client, outbound, url):
    outbound.get("https://a.example.com/").optional()
    with pytest.raises(Exception, match="GR046"):
        httpx.get(url)
    outbound.unclaimed.clear()
"""
    run(pytester, test.replace("httpx2", _newest())).passed(4)


def test_redirects_cookies_and_forms_go_the_librarys_way(pytester: pytest.Pytester) -> None:
    """What makes the answer is the library itself."""
    test = """
import aiohttp, requests
import httpx2 as httpx

HERE = "https://a.example.com/"

def fakes(outbound):
    outbound.get(HERE + "old").reply(302, headers={"location": "/new", "set-cookie": "seen=1"})
    outbound.get(HERE + "new").reply(200, json={"new": True})
    return outbound.post(HERE + "form").reply(200)

def test_blocking(client, outbound):
    form = fakes(outbound)
    session = requests.Session()
    assert session.get(HERE + "old").json() == {"new": True}
    assert session.cookies["seen"] == "1"
    with httpx.Client(follow_redirects=True) as own:
        assert own.get(HERE + "old").json() == {"new": True}
        assert own.cookies["seen"] == "1"
        own.post(HERE + "form", data={"a": "b"})
    requests.post(HERE + "form", data={"a": "b"})
    assert [call.form for call in form.calls] == [{"a": "b"}] * 2

async def test_async(client, outbound):
    form = fakes(outbound)
    async with aiohttp.ClientSession() as session:
        async with session.get(HERE + "old") as response:
            assert await response.json() == {"new": True}
        async with session.post(HERE + "form", data={"a": "b"}) as response:
            assert response.status == 200
    assert form.calls[0].form == {"a": "b"}
"""
    run(pytester, test.replace("httpx2", _newest())).passed(2)


def test_greenrooms_own_clients_and_this_machine_are_not_affected(
    pytester: pytest.Pytester,
) -> None:
    """A live server is asked for real while a service is faked."""
    test = """
import httpx2 as httpx, requests, aiohttp

def test_it(live_server, client, outbound):
    outbound.get("https://a.example.com/").optional()
    assert client.get("/later/nothing").status_code == 200 or True
    for get in (httpx.get, requests.get):
        assert get(live_server.url + "/openapi.json").status_code == 200

async def test_aiohttp(live_server, client, outbound):
    outbound.get("https://a.example.com/").reply(200, text="fake")
    async with aiohttp.ClientSession() as session:
        async with session.get("https://a.example.com/") as response:
            assert await response.text() == "fake"
        async with session.get(live_server.url + "/openapi.json") as response:
            assert response.status == 200
"""
    test = test.replace('    assert client.get("/later/nothing").status_code == 200 or True\n', "")
    run(pytester, test.replace("httpx2", _newest())).passed(2)


def test_bad_fakes_say_what_is_wrong(pytester: pytest.Pytester) -> None:
    """A host that doesn't parse, two that claim one call, no method, no way to fail."""
    test = """
import pytest
import httpx2 as httpx

@pytest.mark.parametrize("url", ["api.example.com/x", "https://", "https://a b/", "ftp://a.b/", "https://a..b/",
                                 "https://[::1/", "https://a:port/", None])
def test_no_url(client, outbound, url):
    with pytest.raises(Exception, match="GR046 .* is no URL of a service"):
        outbound.get(url)

def test_twice(client, outbound):
    outbound.get("https://a.example.com/").optional()
    with pytest.raises(Exception, match="GR046 two routes claim GET https://a.example.com/"):
        outbound.get("https://a.example.com/")

def test_both_claim(client, outbound):
    outbound.get("https://a.example.com/*").optional()
    outbound.get("https://a.example.com/x").optional()
    with pytest.raises(Exception, match="GR046 .*which two routes claim"):
        httpx.get("https://a.example.com/x")
    outbound.unclaimed.clear()

def test_method(client, outbound):
    with pytest.raises(Exception, match="GR046 'BREW' is no method"):
        outbound.route("brew", "https://a.example.com/")

def test_failure(client, outbound):
    with pytest.raises(Exception, match="GR046 'explode' is no way to fail"):
        outbound.get("https://a.example.com/").optional().fails("explode")
"""
    run(pytester, test.replace("httpx2", _newest())).passed(12)


@pytest.mark.parametrize(
    ("library", "missing", "extra"),
    [("requests", "responses", "requests"), ("aiohttp", "aiointercept", "aiohttp")],
)
def test_what_an_extra_brings_is_named_where_it_is_missing(
    pytester: pytest.Pytester, library: str, missing: str, extra: str
) -> None:
    """The libraries of httpx need none."""
    conftest = f"""
import importlib.util, pytest
find = importlib.util.find_spec

@pytest.fixture(autouse=True)
def hidden(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "{missing}" else find(name, *a))
"""
    test = f"""
import main
def test_it(client, outbound):
    outbound.post(main.URL).reply(200)
    client.get("/handled/{library}")
"""
    files = {
        "main.py": app_source("outside"),
        "test_main.py": test,
        "conftest.py": conftest,
        "pyproject.toml": "[tool.greenroom]\n",
    }
    result = Project(files).run(pytester)
    result.counts(failed=1)
    result.says(f"GR030 outbound needs {missing}", f"pip install greenroom[{extra}]")


def test_answers_are_like_those_of_the_network(pytester: pytest.Pytester) -> None:
    """They are read once, take a time, and may be streamed."""
    test = """
import httpx2 as httpx
import pytest

HERE = "https://a.example.com/"

def test_blocking(client, outbound):
    outbound.get(HERE).reply(200, text="answer")
    assert httpx.get(HERE).elapsed.total_seconds() >= 0
    with httpx.stream("GET", HERE) as response:
        with pytest.raises(httpx.ResponseNotRead):
            response.text
        assert b"".join(response.iter_raw()) == b"answer"

async def test_async(client, outbound):
    outbound.get(HERE).reply(200, json=None)
    async with httpx.AsyncClient() as own:
        assert (await own.get(HERE)).json() is None
        async with own.stream("GET", HERE) as response:
            assert [part async for part in response.aiter_raw()] == [b"null"]
"""
    run(pytester, test.replace("httpx2", _newest())).passed(2)


def test_calls_side_by_side_get_one_reply_each(pytester: pytest.Pytester) -> None:
    """In whatever order they come, none twice."""
    test = """
import asyncio, aiohttp, pytest
import httpx2 as httpx

HERE = "https://a.example.com/"

@pytest.mark.parametrize("library", ["aiohttp", "httpx"])
async def test_it(client, outbound, library):
    outbound.get(HERE).reply(200, text="1").fails().reply(200, text="3", delay=0.001)

    async def ask():
        if library == "aiohttp":
            async with aiohttp.ClientSession() as session:
                async with session.get(HERE) as response:
                    return await response.text()
        async with httpx.AsyncClient() as own:
            return (await own.get(HERE)).text

    answers = await asyncio.gather(ask(), ask(), ask(), return_exceptions=True)
    texts = sorted(one for one in answers if isinstance(one, str))
    assert texts == ["1", "3"]
    (error,) = [one for one in answers if not isinstance(one, str)]
    assert isinstance(error, (aiohttp.ClientConnectorError, httpx.ConnectError))
    assert len(outbound.calls) == 3
"""
    run(pytester, test.replace("httpx2", _newest())).passed(2)


def test_aiohttp_goes_to_this_machine_by_name_too(pytester: pytest.Pytester) -> None:
    """And what redirects lead to is a route's, or an error."""
    test = """
import aiohttp, pytest

HERE = "https://a.example.com/"

async def test_here(client, outbound, live_server):
    outbound.get(HERE).reply(200)
    address = live_server.url.replace("127.0.0.1", "localhost")
    async with aiohttp.ClientSession() as session:
        async with session.get(HERE):
            pass
        async with session.get(address + "/openapi.json") as response:
            assert response.status == 200

async def test_redirects(client, outbound):
    outbound.get(HERE).reply(302, headers={"location": "https://b.example.com/"})
    outbound.get("https://b.example.com/").reply(200, text="there")
    async with aiohttp.ClientSession() as session:
        async with session.get(HERE) as response:
            assert await response.text() == "there"

async def test_nowhere(client, outbound):
    outbound.get(HERE).reply(302, headers={"location": "https://c.example.com/"})
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(HERE)

async def test_for_ever(client, outbound):
    outbound.get(HERE).reply(200, delay=0.001)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0)) as session:
        async with session.get(HERE) as response:
            assert response.status == 200
"""
    result = run(pytester, test)
    result.counts(passed=3, failed=1)
    result.says("called GET https://c.example.com/, which no route of outbound claims")


def test_odd_urls_and_bodies(pytester: pytest.Pytester) -> None:
    """Spaces, umlauts, brackets, other alphabets; files, iterators and multipart forms."""
    test = """
import io
import httpx2 as httpx, requests

def test_urls(client, outbound):
    for url in ("https://a.example.com/a b/ä", "https://a.example.com/x[1]", "https://bücher.example/"):
        outbound.get(url).reply(200)
        assert httpx.get(url).status_code == 200
        assert requests.get(url).status_code == 200

def test_bodies(client, outbound):
    route = outbound.post("https://a.example.com/").reply(200)
    requests.post("https://a.example.com/", data=io.BytesIO(b"file"))
    requests.post("https://a.example.com/", data=iter([b"a", b"b"]))
    requests.post("https://a.example.com/", files={"f": b"\\xff"})
    assert [call.content for call in route.calls[:2]] == [b"file", b"ab"]
    assert b"\\xff" in route.calls[2].content
    route.calls[2].form
"""
    run(pytester, test.replace("httpx2", _newest())).passed(2)


def _newest() -> str:
    import importlib.util

    return "httpx2" if importlib.util.find_spec("httpx2") is not None else "httpx"
