"""What lies behind a picture, computed from events alone by the rule of `docs/spec/lineage.md`."""
