"""The core: arrays and values. It knows no database, no HTTP, no environment, and no clock of its own."""
