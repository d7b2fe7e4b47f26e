"""Users and their orders, for a shop's front end."""

from flask import Flask
from sqlalchemy import event

from app.api import auth, errors, orders, users
from app.config import get_settings
from app.database import db, enforce_foreign_keys


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = get_settings().database_url
    db.init_app(app)
    for module in (auth, users, orders):
        app.register_blueprint(module.blueprint)
    errors.register(app)
    with app.app_context():
        event.listen(db.engine, "connect", enforce_foreign_keys)
        db.create_all()
    return app
