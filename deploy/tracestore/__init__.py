"""A trace store for one machine: takes OTLP/HTTP, answers the queries of Jaeger's API v3.

It stands in where no Jaeger or Tempo runs; services know it only as OTEL_EXPORTER_OTLP_ENDPOINT, pages as an API v3 URL.
"""
