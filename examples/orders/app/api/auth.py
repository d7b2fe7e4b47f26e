from fastapi import APIRouter, HTTPException
from sqlalchemy import select

from app.database import Db
from app.models import User
from app.schemas import Data, LoginIn, TokenOut
from app.security import NOBODYS_HASH, create_access_token, verify_password

router = APIRouter(prefix="/api/auth", tags=["auth"])


@router.post("/login")
def log_in(data: LoginIn, db: Db) -> Data[TokenOut]:
    user = db.scalar(select(User).where(User.email == data.email))
    hashed = user.hashed_password if user else NOBODYS_HASH
    if not verify_password(data.password, hashed) or user is None:
        raise HTTPException(401, "Wrong e-mail or password.")
    return Data(data=TokenOut(access_token=create_access_token(user.id)))
