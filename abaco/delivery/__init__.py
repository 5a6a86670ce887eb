"""Delivery: every result reaches every place that is set up, once, through outages of any of them."""
