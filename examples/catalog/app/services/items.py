import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.clock import now
from app.core.errors import ConflictError, NotFoundError
from app.models import Item
from app.repositories.base import Page, constraint_of
from app.repositories.items import ItemRepository, TagRepository
from app.schemas.common import in_cents
from app.schemas.items import ItemChange, ItemIn, ItemQuery
from app.services.rates import Rates


class ItemService:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.items = ItemRepository(session)
        self.tags = TagRepository(session)

    async def create(self, data: ItemIn) -> Item:
        async with self._committed():
            tags = await self.tags.named(data.tags)
            return await self.items.add(**data.model_dump(exclude={"tags"}), tags=tags)

    async def read(self, item_id: uuid.UUID, *, lock: bool = False) -> Item:
        item = await self.items.get(item_id, lock=lock)
        if item is None:
            raise NotFoundError("There is no such item.")
        return item

    async def find(self, query: ItemQuery) -> Page[Item]:
        return await self.items.find(
            query.filters, order_by=query.order_by, page=query.page, size=query.size
        )

    async def change(self, item_id: uuid.UUID, data: ItemChange) -> Item:
        item = await self.read(item_id, lock=True)
        changes = data.model_dump()
        async with self._committed():
            if "tags" in changes:
                changes["tags"] = await self.tags.named(changes["tags"])
                changes["updated_at"] = now()
            await self.items.change(item, **changes)
        return item

    async def delete(self, item_id: uuid.UUID) -> None:
        await self.items.delete(await self.read(item_id))
        await self.session.commit()

    async def restore(self, item_id: uuid.UUID) -> Item:
        item = await self.items.get(item_id, deleted=True)
        if item is None:
            raise NotFoundError("There is no such deleted item.")
        async with self._committed():
            await self.items.restore(item)
        return item

    async def price(self, item_id: uuid.UUID, currency: str, rates: Rates) -> Decimal:
        item = await self.read(item_id)
        return in_cents(item.price * await rates.of(currency))

    @asynccontextmanager
    async def _committed(self) -> AsyncIterator[None]:
        """Commit what is done in the block; a name that another item has is a conflict."""
        try:
            yield
            await self.session.commit()
        except IntegrityError as error:
            await self.session.rollback()
            if constraint_of(error) != "items_name":
                raise
            raise ConflictError("An item of that name exists.") from error
