"""Implementations of the actions: one class a file with methods ``action_…``, by their target."""
