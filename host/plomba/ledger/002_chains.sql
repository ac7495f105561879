-- A chain is one epoch of one terminal, with the certificate that held for it.
CREATE TABLE chain (
    id INTEGER PRIMARY KEY,
    terminal BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    certificate BLOB NOT NULL,
    UNIQUE (terminal, epoch)
);
INSERT INTO chain (terminal, epoch, certificate) SELECT id, epoch, certificate FROM terminal;
INSERT OR IGNORE INTO chain (terminal, epoch, certificate)
    SELECT DISTINCT record.terminal, record.epoch, terminal.certificate
    FROM record JOIN terminal ON terminal.id = record.terminal;

ALTER TABLE record RENAME TO record_1;
ALTER TABLE outbox RENAME TO outbox_1;
DROP INDEX record_anchor;
DROP INDEX record_order;

-- By leaf, because leaves only rise: a row is appended to every tree but that of the orders.
CREATE TABLE record (
    leaf INTEGER PRIMARY KEY,
    chain INTEGER NOT NULL REFERENCES chain (id),
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,
    signature BLOB NOT NULL,
    order_id TEXT,
    after_receipt BLOB,
    UNIQUE (chain, seq)
);
CREATE INDEX record_anchor ON record (chain, seq) WHERE after_receipt IS NOT NULL;
-- In parts of 4096 leaves: the part that is written to stays small, so a row costs the same with a million before it.
CREATE INDEX record_order ON record (leaf >> 12, order_id) WHERE order_id IS NOT NULL;

CREATE TABLE outbox (
    leaf INTEGER PRIMARY KEY,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    refusal TEXT
);

INSERT INTO record
    SELECT leaf, chain.id, seq, digest, body, signature, order_id, after_receipt
    FROM record_1 JOIN chain ON chain.terminal = record_1.terminal AND chain.epoch = record_1.epoch ORDER BY leaf;
INSERT INTO outbox
    SELECT record_1.leaf, attempts, due, refusal FROM outbox_1 JOIN record_1 USING (terminal, epoch, seq)
    ORDER BY record_1.leaf;
DROP TABLE outbox_1;
DROP TABLE record_1;

-- Two records of one key with one number: proof of a copied terminal, whole and by itself.
CREATE TABLE fork (
    terminal BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    found INTEGER NOT NULL,
    proof BLOB NOT NULL,
    PRIMARY KEY (terminal, epoch, seq)
) WITHOUT ROWID;
CREATE TABLE quarantine (
    terminal BLOB PRIMARY KEY,
    since INTEGER NOT NULL,
    reason TEXT NOT NULL
) WITHOUT ROWID;
