"""The composition root: opens an archive, resolves names, carries out what people do."""
