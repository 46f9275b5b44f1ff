"""The one write path: from Observations to events in the log."""
