-- The order book. A record is kept as it was signed; what it means is worked out from it, never stored beside it.

CREATE TABLE terminals (
    terminal    BLOB PRIMARY KEY,           -- id of its key, 8 bytes
    public      BLOB NOT NULL,              -- X || Y, 64 bytes
    epoch       INTEGER NOT NULL,           -- of the certificate
    serial      INTEGER NOT NULL,           -- of the certificate
    label       TEXT NOT NULL,
    place       INTEGER NOT NULL,
    certificate BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    number   INTEGER PRIMARY KEY,           -- order of import
    id       TEXT NOT NULL UNIQUE,
    ref      INTEGER NOT NULL,              -- first 4 bytes of SHA-256 of the id
    class    INTEGER NOT NULL,
    entered  INTEGER NOT NULL,              -- state at import
    place    INTEGER NOT NULL,
    value    INTEGER,                       -- minor units
    currency TEXT NOT NULL,
    shop     TEXT NOT NULL,
    cell     TEXT NOT NULL,
    state    INTEGER NOT NULL,              -- result of all records; written by the replay only
    last     INTEGER REFERENCES events (number)
) STRICT;
CREATE INDEX orders_by_ref ON orders (ref);
CREATE INDEX orders_by_last ON orders (last);
CREATE INDEX orders_by_state ON orders (state);

CREATE TABLE order_codes (
    kind     INTEGER NOT NULL,              -- code_kind
    code     TEXT NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders (id),
    PRIMARY KEY (kind, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_codes_by_order ON order_codes (order_id);

CREATE TABLE events (
    number    INTEGER PRIMARY KEY,          -- order of arrival
    terminal  BLOB NOT NULL REFERENCES terminals (terminal),
    epoch     INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    body_hash BLOB NOT NULL,                -- SHA-256 of the unsigned bytes: with the three above, the identity
    previous  BLOB NOT NULL,                -- h(seq - 1)
    digest    BLOB NOT NULL,                -- h(seq)
    body      BLOB NOT NULL,
    signature BLOB NOT NULL,
    order_id  TEXT,                         -- the order it names, known here or not
    order_ref INTEGER NOT NULL,
    received  INTEGER NOT NULL,             -- s since 1970, the desk's clock
    UNIQUE (terminal, epoch, seq)
) STRICT;
CREATE INDEX events_by_order ON events (order_id);
CREATE INDEX events_by_ref ON events (order_ref);

-- Verified records that contradict a held one: two journals with one key.
CREATE TABLE conflicts (
    number    INTEGER PRIMARY KEY,
    terminal  BLOB NOT NULL,
    epoch     INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    code      TEXT NOT NULL,                -- record_conflict or desk_record_unlinked
    previous  BLOB NOT NULL,
    body      BLOB NOT NULL,
    signature BLOB NOT NULL,
    received  INTEGER NOT NULL,
    UNIQUE (terminal, epoch, seq, previous, body)
) STRICT;

CREATE TABLE effects (
    event    INTEGER PRIMARY KEY REFERENCES events (number),
    order_id TEXT NOT NULL REFERENCES orders (id),
    position INTEGER NOT NULL,              -- among the order's records
    before   INTEGER NOT NULL,
    after    INTEGER NOT NULL,
    claim    INTEGER NOT NULL,              -- the terminal's state_after
    why      TEXT NOT NULL,                 -- lifecycle.py
    disputed INTEGER NOT NULL
) STRICT;
CREATE INDEX effects_by_order ON effects (order_id);
CREATE INDEX effects_disputed ON effects (event) WHERE disputed;

-- The highest contiguous record held, per terminal and epoch.
CREATE TABLE marks (
    terminal BLOB NOT NULL,
    epoch    INTEGER NOT NULL,
    through  INTEGER NOT NULL,
    PRIMARY KEY (terminal, epoch)
) STRICT, WITHOUT ROWID;

-- The newest signed object of each kind for each terminal; an object for everybody has an empty terminal.
CREATE TABLE issued (
    kind     INTEGER NOT NULL,
    terminal BLOB NOT NULL,
    version  INTEGER NOT NULL,
    content  BLOB NOT NULL,                 -- SHA-256 of what it says
    bundle   BLOB NOT NULL,
    made     INTEGER NOT NULL,              -- s since 1970
    PRIMARY KEY (kind, terminal)
) STRICT, WITHOUT ROWID;

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
