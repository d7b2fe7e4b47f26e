"""`python -m greenroom`."""

from greenroom.cli.main import main

raise SystemExit(main())
