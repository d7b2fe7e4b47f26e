"""Outcomes come together to the same one, in whatever parts and order."""

from __future__ import annotations

import random

import pytest

from greenroom.facts.difference import difference
from greenroom.facts.outcome import Cell, Cost, Example, Outcome, Planned, Problem
from greenroom.facts.stored import from_json, to_json

NAMES = ["GET /a", "GET /b", "POST /a"]
STATUSES = ["200", "404", "422"]


def facts(chance: random.Random) -> list[Outcome]:
    """What many tests have shown, an outcome for each answer."""
    found = []
    for _ in range(60):
        name, status = chance.choice(NAMES), chance.choice(STATUSES)
        test = f"test_{chance.randrange(12)}"
        one = Outcome("main:app", {name})
        cell = Cell(1, {chance.choice(["application/json", "text/html"])})
        (cell.looked if chance.random() < 0.5 else cell.caused).add(test)
        one.cells[name, status] = cell
        one.costs[name] = Cost(chance.randrange(5), test, 1, 0.25, 0.25)
        one.plan[name, status] = Planned(name, status, ("declared in OpenAPI",))
        if chance.random() < 0.3:
            problem = Problem(name, status, "schema", chance.choice(["/x", "/y"]), "an integer")
            came = str(chance.randrange(3))
            one.problems[problem] = Example({test}, came, f'{{"x": {came}}}', "{}")
        found.append(one)
    return found


def together(outcomes: list[Outcome]) -> Outcome:
    made = Outcome("main:app")
    for one in outcomes:
        made.add(one)
    return made


@pytest.mark.parametrize("seed", range(20))
def test_any_split_in_any_order_comes_to_the_same(seed: int) -> None:
    """Byte by byte, also when the parts went through files; the parts stay as they were."""
    chance = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    found = facts(chance)
    whole = to_json(together(found))
    chance.shuffle(found)
    parts = chance.randrange(2, 8)
    shards = [together(found[number::parts]) for number in range(parts)]
    before = [to_json(shard) for shard in shards]
    chance.shuffle(shards)
    assert to_json(together(shards)) == whole
    assert to_json(together([from_json(text, "shard") for text in before])) == whole
    assert sorted(to_json(shard) for shard in shards) == sorted(before)


def test_a_test_that_has_looked_has_not_only_caused() -> None:
    """Whichever of the two was told first: it may have run twice."""
    looked = Outcome("main:app", cells={("GET /a", "200"): Cell(1, looked={"test_x"})})
    caused = Outcome("main:app", cells={("GET /a", "200"): Cell(1, caused={"test_x"})})
    for order in ([looked, caused], [caused, looked]):
        cell = together(order).cells["GET /a", "200"]
        assert (cell.looked, cell.caused, cell.times) == ({"test_x"}, set(), 2)


def test_ranges_and_default_are_covered_by_what_falls_under_them() -> None:
    """And not by a status that the plan names itself."""
    name = "GET /a"
    one = Outcome("main:app", {name})
    for status in ("200", "4XX", "default"):
        one.plan[name, status] = Planned(name, status, ("declared in OpenAPI",))
    one.cells[name, "404"] = Cell(1, looked={"test_404"})
    one.cells[name, "200"] = Cell(1, looked={"test_200"})
    assert one.proofs(name, "4XX") == {"test_404"}
    assert one.proofs(name, "default") == set()
    one.cells[name, "503"] = Cell(1, looked={"test_503"})
    assert one.proofs(name, "default") == {"test_503"}


def test_what_is_dropped_is_no_gap() -> None:
    """Nor is it counted."""
    name = "GET /a"
    one = Outcome("main:app", {name})
    one.plan[name, "200"] = Planned(name, "200", ("declared in OpenAPI",))
    one.plan[name, "401"] = Planned(name, "401", ("the security scheme x",), "not ours")
    assert [gap.status for gap in one.gaps()] == ["200"]
    assert one.counts() == (0, 1)
    assert Outcome("main:app").percent == 100


def test_an_outcome_does_not_differ_from_itself() -> None:
    """And what is worse is told."""
    one = together(facts(random.Random(1)))  # noqa: S311 - a seed that can be repeated
    assert not difference(one, one).is_worse
    assert difference(Outcome("main:app"), one).is_worse
