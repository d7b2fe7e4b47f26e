from fastapi import FastAPI

from app.api import tasks, users

app = FastAPI(title="tasks")
app.include_router(tasks.router)
app.include_router(users.router)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}
