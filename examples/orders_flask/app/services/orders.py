"""What becomes of orders."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.models import Order, OrderItem, User
from app.prices import PRICES
from app.schemas import OrderIn
from app.services.errors import ConflictError
from app.statuses import CLOSED, NEXT, OrderStatus


def place(db: Session, user: User, data: OrderIn, limit: int) -> Order:
    # A write locks: the user's row on PostgreSQL, all on SQLite. So his orders come one by one.
    db.execute(update(User).where(User.id == user.id).values(name=User.name))
    mine = select(func.count(Order.id)).where(Order.user_id == user.id)
    if db.scalar(mine.where(Order.status.not_in(CLOSED))) >= limit:
        raise ConflictError(f"No more than {limit} open orders.")
    items = [
        OrderItem(product=item.product, quantity=item.quantity, price_cents=PRICES[item.product])
        for item in data.items
    ]
    order = Order(user_id=user.id, items=items)
    db.add(order)
    db.commit()
    return order


def change_status(db: Session, order: Order, status: OrderStatus) -> None:
    while status in NEXT[order.status]:
        as_seen = update(Order).where(Order.id == order.id, Order.status == order.status)
        if db.execute(as_seen.values(status=status)).rowcount == 1:
            db.commit()
            return
        db.refresh(order, ["status"])  # Somebody was quicker.
    raise ConflictError(f"From {order.status} an order can't become {status}.")
