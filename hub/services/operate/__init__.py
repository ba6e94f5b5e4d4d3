"""What an operator does with deliveries and messages that went wrong.

One act on one delivery is a transaction with its audit row (:mod:`one`); an action on many is
chosen, looked at, begun and gone on with (:mod:`choose`, :mod:`many`).
"""
