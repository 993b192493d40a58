"""The history of every actor's schema (Alembic): a shared base, then one branch per kind of actor."""
