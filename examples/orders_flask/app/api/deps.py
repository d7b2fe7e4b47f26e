"""Who is asking, and what he asks for."""

from typing import TypeVar

from flask import abort, request
from werkzeug.datastructures import WWWAuthenticate

from app.database import db
from app.models import Order, User
from app.security import read_access_token

Row = TypeVar("Row", User, Order)

MOST = 2**31 - 1


def find(model: type[Row], row_id: int) -> Row | None:
    return db.session.get(model, row_id) if row_id <= MOST else None


def get_current_user() -> User:
    credentials = request.authorization
    token = credentials.token if credentials and credentials.type == "bearer" else None
    user_id = read_access_token(token) if token else None
    user = db.session.get(User, user_id) if user_id is not None else None
    if user is None:
        abort(401, "Not authenticated", www_authenticate=WWWAuthenticate("bearer"))
    return user


def get_admin() -> User:
    me = get_current_user()
    if not me.is_admin:
        abort(403, "That is for admins.")
    return me


def get_user(user_id: int) -> User:
    me = get_current_user()
    user = find(User, user_id)
    if user is None:
        abort(404, "There is no such user.")
    if user.id != me.id and not me.is_admin:
        abort(403, "That is somebody else.")
    return user


def get_order(order_id: int) -> Order:
    me = get_current_user()
    order = find(Order, order_id)
    if order is None:
        abort(404, "There is no such order.")
    if order.user_id != me.id and not me.is_admin:
        abort(403, "That is somebody else's order.")
    return order
