"""Flask, by the factory of its tutorial's kind, with Flask-SQLAlchemy."""

import os

from flask import Flask, abort, jsonify
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


class Item(db.Model):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)


def create_app(testing: bool = False) -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["BLOCKING_URL"]
    app.config["TESTING"] = testing
    db.init_app(app)

    @app.get("/items")
    def list_items():
        return jsonify(list(db.session.scalars(select(Item.name).order_by(Item.id))))

    @app.post("/items/<name>")
    def create_item(name: str):
        item = Item(name=name)
        db.session.add(item)
        try:
            db.session.commit()
        except IntegrityError:
            abort(409)
        return jsonify(item.id), 201

    @app.post("/refused/<name>")
    def refuse_item(name: str):
        db.session.add(Item(name=name))
        db.session.flush()
        abort(400)

    @app.get("/config")
    def config():
        return jsonify(testing=app.testing)

    return app
