from fastapi import APIRouter, HTTPException
from sqlalchemy import func, select

from app.api.deps import CurrentUser, Limit, OneOrder
from app.database import Db
from app.models import Order, OrderItem
from app.schemas import Data, OrderIn, OrderOut, StatusIn
from app.statuses import CLOSED, NEXT, OrderStatus

router = APIRouter(prefix="/api/orders", tags=["orders"])


@router.post("", status_code=201, response_model=Data[OrderOut])
def create_order(data: OrderIn, db: Db, me: CurrentUser, limit: Limit) -> dict[str, Order]:
    mine = select(func.count(Order.id)).where(Order.user_id == me.id)
    if db.scalar(mine.where(Order.status.not_in(CLOSED))) >= limit:
        raise HTTPException(409, f"No more than {limit} open orders.")
    items = [OrderItem(**item.model_dump()) for item in data.items]
    order = Order(user_id=me.id, items=items)
    db.add(order)
    db.commit()
    return {"data": order}


@router.get("", response_model=Data[list[OrderOut]])
def list_orders(db: Db, me: CurrentUser) -> dict[str, list[Order]]:
    query = select(Order).where(Order.user_id == me.id).order_by(Order.id)
    return {"data": list(db.scalars(query))}


@router.get("/{order_id}", response_model=Data[OrderOut])
def read_order(order: OneOrder) -> dict[str, Order]:
    return {"data": order}


@router.patch("/{order_id}/status", response_model=Data[OrderOut])
def change_status(data: StatusIn, order: OneOrder, db: Db, me: CurrentUser) -> dict[str, Order]:
    if data.status != OrderStatus.CANCELLED and not me.is_admin:
        raise HTTPException(403, "You may only cancel it.")
    db.refresh(order, ["status"], with_for_update=True)
    if data.status not in NEXT[order.status]:
        raise HTTPException(409, f"From {order.status} an order can't become {data.status}.")
    order.status = data.status
    db.commit()
    return {"data": order}
