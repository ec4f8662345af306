"""The columnar replica: what questions that sweep a street, a district or everybody need, and nothing that names a person.

One process owns the DuckDB file (`python -m population replica`), follows the changes of the residents' documents and answers over
gRPC. docs/adr/0009-columnar-replica.md says why.
"""
