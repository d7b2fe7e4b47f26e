import pytest
from app.models import Order, OrderItem, User


@pytest.fixture
def ann(make):
    return make(User, name="Ann")


@pytest.fixture
def admin(make):
    return make(User, name="admin", is_admin=True)


@pytest.fixture
def make_order(make, ann):
    """An order of Ann's for two lamps; a test names only what it cares about."""

    def make_one(user=ann, **given):
        items = [OrderItem(product="lamp", quantity=2, price_cents=990)]
        return make(Order, user_id=user.id, **{"items": items, **given})

    return make_one
