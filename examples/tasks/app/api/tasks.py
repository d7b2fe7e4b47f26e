import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path
from pydantic import BaseModel, ConfigDict, EmailStr, Field
from sqlalchemy import select

from app.api.users import get_current_user
from app.core.database import Db
from app.models.task import Task
from app.services.mail import MailError, send_reminder
from app.services.webhook import WebhookError, tell_completed

router = APIRouter(prefix="/tasks", tags=["tasks"])

# One line: it becomes the subject of a mail.
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
TaskId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class TaskIn(BaseModel):
    title: Title
    due: dt.datetime | None = None
    remind: EmailStr | None = None


class TaskChange(BaseModel):
    """Only what is set is changed: the defaults are never used."""

    title: Title = ""
    completed: bool = False
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


async def get_task(task_id: TaskId, db: Db) -> Task:
    task = await db.get(Task, task_id)
    if task is None:
        raise HTTPException(404, "There is no such task.")
    return task


async def get_locked_task(task_id: TaskId, db: Db) -> Task:
    """Whoever changes it at the same time waits."""
    task = await db.get(Task, task_id, with_for_update=True)
    if task is None:
        raise HTTPException(404, "There is no such task.")
    return task


OneTask = Annotated[Task, Depends(get_task)]
LockedTask = Annotated[Task, Depends(get_locked_task)]


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
async def change_task(data: TaskChange, task: LockedTask, db: Db) -> Task:
    changes = data.model_dump(exclude_unset=True)
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


@router.post("/reminders", response_model=int, dependencies=[Depends(get_current_user)])
async def remind(db: Db) -> int:
    """Send a mail for each task that is overdue; called by a timer, which is a user."""
    query = select(Task).where(Task.due < now(), ~Task.completed, Task.remind.is_not(None))
    tasks = list(await db.scalars(query))
    for task in tasks:
        try:
            await send_reminder(task)
        except MailError as error:
            raise HTTPException(503, "No mail can be sent: try again.") from error
        task.remind = None
        await db.commit()  # Each by itself: what was sent isn't sent again if the next one fails.
    return len(tasks)
