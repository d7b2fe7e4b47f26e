"""The isolation `rollback`: one real connection, shared by everything that a test does."""
