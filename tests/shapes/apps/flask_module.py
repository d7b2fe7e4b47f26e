"""Flask, as a module's attribute, with SQLAlchemy by itself."""

import os

from flask import Flask, abort, g, jsonify
from shop import Item, names_blocking
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

app = Flask(__name__)
engine = create_engine(os.environ["BLOCKING_URL"])


@app.before_request
def open_session() -> None:
    g.session = Session(engine)


@app.teardown_request
def close_session(error) -> None:
    g.session.close()


@app.get("/items")
def list_items():
    return jsonify(names_blocking(g.session))


@app.post("/items/<name>")
def create_item(name: str):
    item = Item(name=name)
    g.session.add(item)
    try:
        g.session.commit()
    except IntegrityError:
        abort(409)
    return jsonify(item.id), 201


@app.post("/refused/<name>")
def refuse_item(name: str):
    g.session.add(Item(name=name))
    g.session.flush()
    abort(400)
