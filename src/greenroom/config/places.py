"""Where an app is looked for if nobody says where it is."""

from __future__ import annotations

#: Where `fastapi dev` looks, in its order (FastAPI's documentation of the fastapi command).
PLACES = ("main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py")
#: Below which folders of the project the places are looked for.
ROOTS = (".", "src")
