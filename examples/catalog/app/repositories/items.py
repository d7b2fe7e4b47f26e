from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.models import Item, Tag
from app.repositories.base import Repository


class ItemRepository(Repository[Item]):
    model = Item


class TagRepository(Repository[Tag]):
    model = Tag

    async def named(self, names: Sequence[str]) -> list[Tag]:
        """The tags of those names, by name; new ones are made."""
        if not names:
            return []
        rows = [{"name": name} for name in sorted(set(names))]
        await self.session.execute(insert(Tag).on_conflict_do_nothing(), rows)
        found = select(Tag).where(Tag.name.in_(names)).order_by(Tag.name)
        return list(await self.session.scalars(found))
