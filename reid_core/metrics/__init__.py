"""Pure figures of merit."""
