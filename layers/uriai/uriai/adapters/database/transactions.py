"""Units of work over the one connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pymysql.cursors import DictCursor

from uriai.adapters.database.analyses import SqlAnalyses
from uriai.adapters.database.claims import SqlClaims
from uriai.adapters.database.clips import SqlClips
from uriai.adapters.database.connection import Database
from uriai.adapters.database.coverage import SqlCoverage
from uriai.adapters.database.evidence import SqlAudit, SqlEvidence
from uriai.adapters.database.gateways import SqlGateways
from uriai.adapters.database.incidents import SqlIncidents
from uriai.adapters.database.masked_copies import SqlMaskedCopies
from uriai.adapters.database.outbox import SqlOutbox
from uriai.adapters.database.outgoing import SqlOutgoing
from uriai.adapters.database.police_reports import SqlPoliceReports
from uriai.adapters.database.records import SqlRecords
from uriai.adapters.database.scope import SqlScopes
from uriai.adapters.database.thresholds import SqlThresholds
from uriai.service.ports.repositories import Repositories, Transactions

Result = TypeVar("Result")


class SqlTransactions(Transactions):
    """Runs each unit of work in a transaction of its own, see `Database.run`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, work: Callable[[Repositories], Result]) -> Result:
        """Do ``work`` in one transaction, whole again after a deadlock or a lost connection."""
        return self._database.run(lambda cursor: work(repositories(cursor)))


def repositories(cursor: DictCursor) -> Repositories:
    """Every repository, on one transaction's cursor."""
    return Repositories(
        gateways=SqlGateways(cursor),
        clips=SqlClips(cursor),
        analyses=SqlAnalyses(cursor),
        incidents=SqlIncidents(cursor),
        evidence=SqlEvidence(cursor),
        scopes=SqlScopes(cursor),
        thresholds=SqlThresholds(cursor),
        audit=SqlAudit(cursor),
        outbox=SqlOutbox(cursor),
        outgoing=SqlOutgoing(cursor),
        police_reports=SqlPoliceReports(cursor),
        records=SqlRecords(cursor),
        coverage=SqlCoverage(cursor),
        claims=SqlClaims(cursor),
        copies=SqlMaskedCopies(cursor),
    )
