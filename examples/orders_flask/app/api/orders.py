from typing import Any

from flask import Blueprint, abort
from sqlalchemy import func, select

from app.api.bodies import answer, body
from app.api.deps import get_current_user, get_order
from app.config import get_settings
from app.database import db
from app.models import Order, OrderItem
from app.schemas import OrderIn, OrderOut, StatusIn
from app.statuses import CLOSED, NEXT, OrderStatus

blueprint = Blueprint("orders", __name__, url_prefix="/api/orders")


@blueprint.post("")
def create_order() -> tuple[dict[str, Any], int]:
    me, data, limit = get_current_user(), body(OrderIn), get_settings().open_orders
    mine = select(func.count(Order.id)).where(Order.user_id == me.id)
    if db.session.scalar(mine.where(Order.status.not_in(CLOSED))) >= limit:
        abort(409, f"No more than {limit} open orders.")
    items = [OrderItem(**item.model_dump()) for item in data.items]
    order = Order(user_id=me.id, items=items)
    db.session.add(order)
    db.session.commit()
    return answer(OrderOut, order, 201)


@blueprint.get("")
def list_orders() -> tuple[dict[str, Any], int]:
    me = get_current_user()
    orders = db.session.scalars(select(Order).where(Order.user_id == me.id).order_by(Order.id))
    return answer(list[OrderOut], orders.all())


@blueprint.get("/<int:order_id>")
def read_order(order_id: int) -> tuple[dict[str, Any], int]:
    return answer(OrderOut, get_order(order_id))


@blueprint.patch("/<int:order_id>/status")
def change_status(order_id: int) -> tuple[dict[str, Any], int]:
    me, order, data = get_current_user(), get_order(order_id), body(StatusIn)
    if data.status != OrderStatus.CANCELLED and not me.is_admin:
        abort(403, "You may only cancel it.")
    if data.status not in NEXT[order.status]:
        abort(409, f"From {order.status} an order can't become {data.status}.")
    order.status = data.status
    db.session.commit()
    return answer(OrderOut, order)
