"""The desk over HTTP: a table of operations that is its own documentation (docs/api.md, docs/openapi.json).

To add an operation: a Struct for its parameters (shapes.py) and for its answer (answers.py, or
beside the handler where no other needs it), a handler
`def name(services, call)` that calls the book and returns the answer, and a row `Operation(...)` in the OPERATIONS of
the handlers' file, which app.py lists in TABLE. Route, checks of what comes in, the right, the idempotency key with its
transaction, the errors and the documentation follow from the row. A handler raises PlombaError for what it cannot do; a
code that has another status than its class says stands in problems.py. Listings take `Paged` and give `next`
(cursors.py). Another kind of message for the stream is a Feed (stream.py). Then `plomba desk openapi --out
docs/openapi.json`.
"""

from plomba.desk.api.app import create_app as create_app
