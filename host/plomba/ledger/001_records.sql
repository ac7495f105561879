CREATE TABLE terminal (
    id BLOB PRIMARY KEY,
    public BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    label TEXT NOT NULL,
    place INTEGER NOT NULL,
    certificate BLOB NOT NULL
) WITHOUT ROWID;

-- A record is identified by (terminal, epoch, seq) and its body; the signature is no part of its identity.
CREATE TABLE record (
    terminal BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    leaf INTEGER NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    previous BLOB NOT NULL,
    body BLOB NOT NULL,
    signature BLOB NOT NULL,
    order_id TEXT,
    after_receipt BLOB,
    PRIMARY KEY (terminal, epoch, seq)
) WITHOUT ROWID;
CREATE INDEX record_anchor ON record (terminal, epoch, seq) WHERE after_receipt IS NOT NULL;
CREATE INDEX record_order ON record (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE outbox (
    terminal BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    refusal TEXT,
    PRIMARY KEY (terminal, epoch, seq)
) WITHOUT ROWID;

CREATE TABLE receipt (
    terminal BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    up_to INTEGER NOT NULL,
    log_size INTEGER NOT NULL,
    sha256 BLOB NOT NULL UNIQUE,
    bundle BLOB NOT NULL,
    PRIMARY KEY (terminal, epoch, up_to)
) WITHOUT ROWID;

-- Signed objects that were pushed down: an evidence pack shows the rules a verdict came from.
CREATE TABLE object (
    kind INTEGER NOT NULL,
    version INTEGER NOT NULL,
    bundle BLOB NOT NULL,
    PRIMARY KEY (kind, version)
) WITHOUT ROWID;

CREATE TABLE log (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL,
    peaks BLOB NOT NULL
);
INSERT INTO log VALUES (1, 0, x'');
