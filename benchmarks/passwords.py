"""A suite whose set-up is password hashing: with the cost lowered, and with the app's own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import timed

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
COUNT = 30
APP = """
import bcrypt
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
users: dict[str, bytes] = {}

class User(BaseModel):
    name: str
    password: str

@app.post("/users", status_code=201)
def register(user: User) -> None:
    users[user.name] = bcrypt.hashpw(user.password.encode(), bcrypt.gensalt())

@app.post("/login")
def login(user: User) -> None:
    if not bcrypt.checkpw(user.password.encode(), users[user.name]):
        raise HTTPException(401)
"""
TEST = f"""
import pytest

@pytest.mark.parametrize("n", range({COUNT}))
async def test_login(client, n):
    user = {{"name": f"user {{n}}", "password": "secret"}}
    assert (await client.post("/users", json=user)).status_code == 201
    assert (await client.post("/login", json=user)).status_code == 200
"""


def main() -> None:
    """Print the ratio of wall time, interleaved."""
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, source in {
            "main.py": APP,
            "test_it.py": TEST,
            "pytest.ini": "[pytest]\n",
        }.items():
            (folder / file).write_text(source)
        for number in range(ROUNDS + 1):
            cheap, real = (_run(folder, passwords) for passwords in ("cheap", "real"))
            if number:
                ratios.append(real / cheap)
    print(
        f"\n{COUNT} tests that register and log in by bcrypt: {median(ratios):.1f} times as fast with "
        f"cheap passwords (wall, whole run); median of {len(ratios)}"
    )


def _run(folder: Path, passwords: str) -> float:
    arguments = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:randomly",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
    ]
    cost, output, _ = timed([*arguments, f"--greenroom-passwords={passwords}"], folder, {})
    if f"{COUNT} passed" not in output:
        raise RuntimeError(output[-3000:])
    return cost.wall


if __name__ == "__main__":
    main()
