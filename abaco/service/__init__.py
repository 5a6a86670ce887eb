"""The service: report pages, health, metrics and the schedule, by HTTP."""
