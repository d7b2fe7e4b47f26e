from fastapi import FastAPI

from app.api import auth, users
from app.core.handlers import register_handlers

app = FastAPI(title="accounts")
app.include_router(auth.router, prefix="/api/v1/auth")
app.include_router(users.router, prefix="/api/v1/users")
register_handlers(app)
