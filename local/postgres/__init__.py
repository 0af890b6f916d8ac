"""The real PostgreSQL server, from a wheel, as an ordinary user, without Docker."""

from local.postgres.cluster import Cluster, prepare_cluster
from local.postgres.ordinary_user import PostgresUnavailable
from local.postgres.server import running_postgres

__all__ = ["Cluster", "PostgresUnavailable", "prepare_cluster", "running_postgres"]
