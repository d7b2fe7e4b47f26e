from fastapi import APIRouter, HTTPException
from sqlalchemy import select

from app.api.deps import CurrentUser, Limit, OneOrder
from app.database import Db
from app.models import Order
from app.schemas import Data, OrderIn, OrderOut, StatusIn
from app.services import orders
from app.statuses import OrderStatus

router = APIRouter(prefix="/api/orders", tags=["orders"])


@router.post("", status_code=201, response_model=Data[OrderOut])
def create_order(data: OrderIn, db: Db, me: CurrentUser, limit: Limit) -> dict[str, Order]:
    return {"data": orders.place(db, me, data, limit)}


@router.get("", response_model=Data[list[OrderOut]])
def list_orders(db: Db, me: CurrentUser) -> dict[str, list[Order]]:
    query = select(Order).where(Order.user_id == me.id).order_by(Order.id.desc())
    return {"data": list(db.scalars(query))}


@router.get("/{order_id}", response_model=Data[OrderOut])
def read_order(order: OneOrder) -> dict[str, Order]:
    return {"data": order}


@router.patch("/{order_id}/status", response_model=Data[OrderOut])
def change_status(data: StatusIn, order: OneOrder, db: Db, me: CurrentUser) -> dict[str, Order]:
    if data.status != OrderStatus.CANCELLED and not me.is_admin:
        raise HTTPException(403, "You may only cancel it.")
    orders.change_status(db, order, data.status)
    return {"data": order}
