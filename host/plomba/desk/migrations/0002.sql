-- Bags, and seals that are bound by scans. All of it is worked out again from the records (replay.py).

ALTER TABLE events ADD COLUMN bag BLOB;         -- bag id in the record
ALTER TABLE events ADD COLUMN seal BLOB;        -- seal that the record binds to its order
ALTER TABLE events ADD COLUMN undoes INTEGER;   -- seq of the record that it takes back
CREATE INDEX events_by_bag ON events (bag) WHERE bag IS NOT NULL;
CREATE INDEX events_by_seal ON events (seal) WHERE seal IS NOT NULL;
CREATE INDEX events_by_undone ON events (terminal, epoch, undoes) WHERE undoes IS NOT NULL;

ALTER TABLE orders ADD COLUMN holder TEXT NOT NULL DEFAULT '';  -- as `state`: written by the replay only
ALTER TABLE orders ADD COLUMN bag BLOB;                         -- the bag it is in
CREATE INDEX orders_by_bag ON orders (bag) WHERE bag IS NOT NULL;

-- What scans did to an order's seals: bound one that it was not imported with, or broke one.
CREATE TABLE bindings (
    order_id TEXT NOT NULL REFERENCES orders (id),
    seal     BLOB NOT NULL,
    broken   INTEGER NOT NULL,
    PRIMARY KEY (order_id, seal)
) STRICT, WITHOUT ROWID;
CREATE INDEX bindings_by_seal ON bindings (seal);

-- A record of a whole bag does something to each order in it.
DROP TABLE effects;
CREATE TABLE effects (
    event    INTEGER NOT NULL REFERENCES events (number),
    order_id TEXT NOT NULL REFERENCES orders (id),
    position INTEGER NOT NULL,              -- among the order's records
    before   INTEGER NOT NULL,
    after    INTEGER NOT NULL,
    claim    INTEGER NOT NULL,              -- the terminal's state_after
    why      TEXT NOT NULL,                 -- steps.py
    disputed INTEGER NOT NULL,
    PRIMARY KEY (event, order_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX effects_by_order ON effects (order_id, position);
CREATE INDEX effects_disputed ON effects (event) WHERE disputed;

CREATE TABLE replayed (lifecycle BLOB NOT NULL) STRICT; -- SHA-256 of the lifecycle that placed all orders
