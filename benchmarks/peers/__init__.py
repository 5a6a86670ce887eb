"""The same job without abaco: CSV or Parquet in; tape, quarantine, reconciliation and four KPIs out."""
