from fastapi import APIRouter, HTTPException
from sqlalchemy import select

from app.database import Db
from app.models import User
from app.schemas import Data, LoginIn, TokenOut
from app.security import create_access_token, verify_password

router = APIRouter(prefix="/api/auth", tags=["auth"])


@router.post("/login")
def log_in(data: LoginIn, db: Db) -> Data[TokenOut]:
    user = db.scalar(select(User).where(User.email == data.email))
    if user is None or not verify_password(data.password, user.hashed_password):
        raise HTTPException(401, "Wrong e-mail or password.")
    return Data(data=TokenOut(access_token=create_access_token(user.id)))
