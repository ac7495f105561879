-- The record of another terminal that this one names: terminal 8, seq u32.
ALTER TABLE events ADD COLUMN peer BLOB;
CREATE INDEX events_by_peer ON events (peer) WHERE peer IS NOT NULL;
