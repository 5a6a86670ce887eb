"""Facilities: what a lender may draw against its loans, and the reason for every dollar of it."""
