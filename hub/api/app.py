"""The FastAPI application: routers, errors as OperationOutcome, nothing personal in logs."""

from __future__ import annotations

from fastapi import FastAPI

from hub import __version__
from hub.api import (
    acts,
    audit,
    concept_maps,
    create,
    documents,
    endpoints,
    errors,
    everything,
    health,
    history,
    letters,
    mailbox,
    metadata,
    metrics,
    missed,
    oauth,
    operating,
    operations,
    plan_document,
    process_message,
    proposals,
    read,
    search,
    subscription,
    subscription_operations,
    transaction,
    update,
    validate,
    vread,
)
from hub.api.description import Described, add_page
from hub.api.guard import Guard
from hub.api.serves import collect
from hub.services.hub import Hub

FHIR = (
    process_message, validate, metadata, concept_maps, subscription_operations, subscription,
    history, vread, everything, plan_document, search, read, update, create, transaction,
)  # fmt: skip
"""Modules of FHIR interactions. An address that is a word (``metadata``, ``_history``) comes before
one where any word is a type or an id."""
OTHERS = (
    documents, mailbox, missed, acts, letters, proposals, operations, operating, endpoints, audit,
    metrics,
    health,
)  # fmt: skip


def create_app(hub: Hub) -> FastAPI:
    """The hub's HTTP interface; ``hub`` is shared by all requests."""
    app = Described(
        title="KI-hub", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False,
        description="Shares the koordinerende indsatsplan between sectors. "
        "What it does as a FHIR server is said at [/fhir/metadata](/fhir/metadata).",
    )  # fmt: skip
    app.state.hub = hub
    app.state.serves = collect(FHIR)
    errors.install(app)
    for module in (oauth, *FHIR, *OTHERS):
        # As they are: include_router would find out again what each needs, for 40 ms.
        app.router.routes.extend(module.ROUTER.routes)
    add_page(app)
    app.add_middleware(Guard, body_bytes=hub.limits.body_bytes, https=hub.door.https)
    return app
