"""Journeys: built from what is stored, kept up with it, shown, and put right by people."""
