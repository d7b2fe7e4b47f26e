"""What becomes of users."""

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models import User
from app.schemas import UserIn
from app.security import hash_password
from app.services import email
from app.services.errors import ConflictError


def register(db: Session, data: UserIn) -> User:
    user = User(email=data.email, name=data.name, hashed_password=hash_password(data.password))
    db.add(user)
    try:
        db.commit()
    except IntegrityError:
        raise ConflictError("A user of that e-mail exists.") from None
    return user


def delete(db: Session, user: User) -> None:
    db.delete(user)
    try:
        db.commit()
    except IntegrityError:
        raise ConflictError("The user has orders.") from None


def verify(db: Session, user: User) -> None:
    user_id, address, text = user.id, user.email, f"Welcome, {user.name}!"
    if not _set_verified(db, user_id, verified=True):
        raise ConflictError("The user is verified.")
    # After the commit: no mail says what isn't so, and no transaction waits for the mail server.
    try:
        email.send_email(address, "You are verified", text)
    except Exception as error:
        _set_verified(db, user_id, verified=False)
        raise email.EmailError(str(error)) from error


def _set_verified(db: Session, user_id: int, *, verified: bool) -> bool:
    """Whether it wasn't so already: of two at once, one is told so."""
    others = update(User).where(User.id == user_id, User.is_verified != verified)
    changed = db.execute(others.values(is_verified=verified))
    db.commit()
    return changed.rowcount == 1
