"""A list of tasks, with reminders by mail and a webhook."""
