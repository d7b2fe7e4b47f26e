from typing import Any

from flask import Blueprint, abort
from sqlalchemy import select

from app.api.bodies import answer, body
from app.api.deps import get_current_user, get_order
from app.config import get_settings
from app.database import db
from app.models import Order
from app.schemas import OrderIn, OrderOut, StatusIn
from app.services import orders
from app.statuses import OrderStatus

blueprint = Blueprint("orders", __name__, url_prefix="/api/orders")


@blueprint.post("")
def create_order() -> tuple[dict[str, Any], int]:
    me, data, limit = get_current_user(), body(OrderIn), get_settings().open_orders
    return answer(OrderOut, orders.place(db.session(), me, data, limit), 201)


@blueprint.get("")
def list_orders() -> tuple[dict[str, Any], int]:
    me = get_current_user()
    query = select(Order).where(Order.user_id == me.id).order_by(Order.id.desc())
    return answer(list[OrderOut], db.session.scalars(query).all())


@blueprint.get("/<int:order_id>")
def read_order(order_id: int) -> tuple[dict[str, Any], int]:
    return answer(OrderOut, get_order(order_id))


@blueprint.patch("/<int:order_id>/status")
def change_status(order_id: int) -> tuple[dict[str, Any], int]:
    me, order, data = get_current_user(), get_order(order_id), body(StatusIn)
    if data.status != OrderStatus.CANCELLED and not me.is_admin:
        abort(403, "You may only cancel it.")
    orders.change_status(db.session(), order, data.status)
    return answer(OrderOut, order)
