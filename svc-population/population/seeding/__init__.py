"""A made-up register of any size for demonstrations and measurements: the same people every time, none of them real.

Identity numbers begin with 99, which no place has; telephone numbers with 100, which no operator has.
"""
