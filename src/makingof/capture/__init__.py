"""Where observations come from: folders, importers, generators' histories. Nothing here writes."""
