"""The index: what the log says, laid out for questions. Derived; deleting it loses nothing."""
