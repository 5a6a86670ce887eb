"""What finished reports say."""
