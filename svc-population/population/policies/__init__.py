"""The rules of population: each `check_*` raises with a reason people understand, and never repeats personal data."""
