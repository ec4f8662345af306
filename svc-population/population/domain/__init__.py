"""Residents, households and verification orders: what they are. Pure data; no rule and no I/O.

Field names are those of `binglian.population.v1`, enum values the short names of its enums. Times are aware UTC datetimes of
millisecond precision, days are texts YYYY-MM-DD. There is no field for anything restricted_category.csv excludes, and none may
be added; a test compares the fields with the list that is allowed.
"""
