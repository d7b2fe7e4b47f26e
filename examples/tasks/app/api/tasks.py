import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, EmailStr, Field
from sqlalchemy import select

from app.core.database import Db
from app.models.task import Task
from app.services.mail import send_reminder
from app.services.webhook import WebhookError, tell_completed

router = APIRouter(prefix="/tasks", tags=["tasks"])

Title = Annotated[str, Field(min_length=1, max_length=200)]


class TaskIn(BaseModel):
    title: Title
    due: dt.datetime | None = None
    remind: EmailStr | None = None


class TaskChange(BaseModel):
    title: Title | None = None
    completed: bool | None = None
    due: dt.datetime | None = None


class TaskOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    completed: bool
    due: dt.datetime | None
    created_at: dt.datetime


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


async def get_task(task_id: int, db: Db) -> Task:
    task = await db.get(Task, task_id)
    if task is None:
        raise HTTPException(404, "There is no such task.")
    return task


OneTask = Annotated[Task, Depends(get_task)]


@router.post("/", status_code=201, response_model=TaskOut)
async def create_task(data: TaskIn, db: Db) -> Task:
    task = Task(**data.model_dump())
    db.add(task)
    await db.commit()
    return task


@router.get("/", response_model=list[TaskOut])
async def list_tasks(db: Db, *, overdue: bool = False) -> list[Task]:
    query = select(Task).order_by(Task.id)
    if overdue:
        query = query.where(Task.due < now(), ~Task.completed)
    return list(await db.scalars(query))


@router.get("/{task_id}", response_model=TaskOut)
async def read_task(task: OneTask) -> Task:
    return task


@router.patch("/{task_id}", response_model=TaskOut)
async def change_task(data: TaskChange, task: OneTask, db: Db) -> Task:
    changes = data.model_dump(exclude_unset=True, exclude_none=True)
    is_done_now = bool(changes.get("completed")) and not task.completed
    for name, value in changes.items():
        setattr(task, name, value)
    if is_done_now:
        try:
            await tell_completed(task.id, task.title)
        except WebhookError as error:
            await db.rollback()
            raise HTTPException(503, "The webhook doesn't answer: try again.") from error
    await db.commit()
    return task


@router.delete("/{task_id}", status_code=204)
async def delete_task(task: OneTask, db: Db) -> None:
    await db.delete(task)
    await db.commit()


@router.post("/reminders", response_model=int)
async def remind(db: Db) -> int:
    """Send a mail for each task that is overdue; called by a timer."""
    query = select(Task).where(Task.due < now(), ~Task.completed, Task.remind.is_not(None))
    tasks = list(await db.scalars(query))
    for task in tasks:
        await send_reminder(task)
        task.remind = None
    await db.commit()
    return len(tasks)
