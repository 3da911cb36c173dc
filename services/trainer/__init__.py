"""The trainer: durable training cycles, each step in a process of its own."""
