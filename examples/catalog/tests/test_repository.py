"""The repository by itself, on the test's session: no request is needed for it."""

import uuid

import pytest
from app.models import Item, Tag
from app.repositories.items import ItemRepository, TagRepository


@pytest.fixture
def items(db_session):
    return ItemRepository(db_session)


@pytest.fixture
async def three(items):
    return await items.add_many([{"name": name, "price": len(name)} for name in ("a", "bb", "ccc")])


async def test_many_rows_are_added_in_order(items, three):
    assert [item.name for item in three] == ["a", "bb", "ccc"]
    assert (await items.find()).total == 3


async def test_no_rows_are_added_by_an_empty_list(items):
    assert await items.add_many([]) == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["a", "bb", "ccc"]),
        ({"name": "bb"}, ["bb"]),
        ({"name__in": ["a", "ccc"]}, ["a", "ccc"]),
        ({"name__ilike": "B"}, ["bb"]),
        ({"price__gte": 2}, ["bb", "ccc"]),
        ({"price__lte": 2}, ["a", "bb"]),
    ],
)
async def test_filters_choose_rows(items, three, filters, found):
    page = await items.find(filters, order_by="name")

    assert [item.name for item in page.items] == found
    assert page.total == len(found)


async def test_a_page_is_cut_from_the_ordered_rows(items, three):
    page = await items.find(order_by="-price", page=2, size=2)

    assert [item.name for item in page.items] == ["a"]
    assert (page.total, page.page, page.size) == (3, 2, 2)


async def test_rows_that_are_equal_are_ordered_by_their_ids(items):
    for number, name in ((2, "a"), (3, "b"), (1, "c")):
        await items.add(id=uuid.UUID(int=number), name=name, price=4)

    page = await items.find(order_by="price")

    assert [item.name for item in page.items] == ["c", "a", "b"]


@pytest.mark.parametrize("order_by", ["colour", "-colour", "tags"])
async def test_an_order_that_is_not_there_is_a_mistake(items, order_by):
    with pytest.raises(ValueError, match="Item has no column"):
        await items.find(order_by=order_by)


@pytest.mark.parametrize("filters", [{"colour": "red"}, {"name__like": "a"}, {"tags": []}])
async def test_a_filter_that_is_not_there_is_a_mistake(items, filters):
    with pytest.raises(ValueError, match=r"has no column|there is no operator"):
        await items.find(filters)


async def test_many_rows_are_changed_at_once(items, three):
    assert await items.change_many({"price__gte": 2}, description="dear") == 2

    assert [item.description for item in three] == [None, "dear", "dear"]


async def test_many_rows_are_deleted_softly(items, three, db_session):
    assert await items.delete_many({"name__in": ["a", "bb"]}) == 2

    assert [item.name for item in (await items.find()).items] == ["ccc"]
    assert (await db_session.get(Item, three[0].id)).deleted_at is not None


async def test_what_is_deleted_already_is_not_deleted_again(items, three):
    await items.delete_many({})

    assert await items.delete_many({}) == 0


async def test_a_deleted_row_is_had_on_request(items, three):
    await items.delete(three[0])

    assert await items.get(three[0].id) is None
    assert await items.get(three[0].id, deleted=True) is three[0]


async def test_a_restored_row_is_back(items, three):
    await items.delete(three[0])

    await items.restore(three[0])

    assert await items.get(three[0].id) is three[0]


async def test_a_row_that_knows_no_soft_delete_is_gone(db_session):
    tags = TagRepository(db_session)
    red = await tags.add(name="red")

    await tags.delete(red)

    assert await db_session.get(Tag, red.id) is None


async def test_a_row_that_knows_no_soft_delete_is_not_restored(db_session):
    tags = TagRepository(db_session)
    red = await tags.add(name="red")

    with pytest.raises(TypeError, match=r"^A deleted Tag is gone\.$"):
        await tags.restore(red)


async def test_tags_that_are_there_are_used_again(db_session):
    tags = TagRepository(db_session)
    red = await tags.add(name="red")

    named = await tags.named(["red", "blue", "red"])

    assert [tag.name for tag in named] == ["blue", "red"]
    assert named[1] is red
