"""What operators do with an installation: backfill, verify, roll back, back up, restore, examine."""
