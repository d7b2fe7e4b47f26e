"""The same twice at once, each with a session of its own, as requests have them."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from app.models import Order, User
from app.schemas import OrderIn, UserIn
from app.services import orders, users
from app.statuses import OrderStatus
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

ANN = UserIn(email="ann@example.com", name="Ann", password="long enough")
LAMP = OrderIn.model_validate({"items": [{"product": "lamp", "quantity": 1}]})


@pytest.fixture
def twice(db_session):
    """Calls `do(session, ready)` in two threads, and gives the errors; `ready()` waits for both."""

    def run(do):
        db_session.commit()
        engine, ready = db_session.get_bind(), Barrier(2, timeout=10)

        def once():
            with Session(engine) as session:
                do(session, ready.wait)

        with ThreadPoolExecutor(2) as pool:
            tries = [pool.submit(once) for _ in range(2)]
        return [str(error) for error in (one.exception() for one in tries) if error]

    return run


def test_of_two_users_of_an_email_one_is_registered(twice, db_session):
    def register(session, ready):
        ready()
        users.register(session, ANN)

    assert twice(register) == ["A user of that e-mail exists."]
    assert db_session.scalar(select(func.count(User.id))) == 1


def test_of_two_verifications_one_sends_a_mail(twice, make, mailbox):
    ann_id = make(User).id

    def verify(session, ready):
        user = session.get(User, ann_id)
        ready()
        users.verify(session, user)

    assert twice(verify) == ["The user is verified."]
    assert len(mailbox) == 1


def test_of_two_orders_the_limit_refuses_one(twice, make, db_session):
    ann_id = make(User).id

    def place(session, ready):
        user = session.get(User, ann_id)
        # Between the count and the insert there is time for the other's count.
        event.listen(session, "before_flush", lambda *_: time.sleep(0.04))
        ready()
        orders.place(session, user, LAMP, limit=1)

    assert twice(place) == ["No more than 1 open orders."]
    assert db_session.scalar(select(func.count(Order.id))) == 1


def test_of_two_changes_of_a_status_one_is_refused(twice, make):
    order_id = make(Order).id

    def pay(session, ready):
        seen = session.get(Order, order_id)
        ready()
        orders.change_status(session, seen, OrderStatus.PAID)

    assert twice(pay) == ["From paid an order can't become paid."]


def test_a_change_that_is_still_right_after_another_is_made(make, db_session):
    order = make(Order)
    db_session.commit()

    with Session(db_session.get_bind()) as session:
        seen = session.get(Order, order.id)
        orders.change_status(db_session, order, OrderStatus.PAID)
        orders.change_status(session, seen, OrderStatus.CANCELLED)

    db_session.refresh(order)
    assert order.status == "cancelled"
