CREATE TABLE idempotency (account TEXT NOT NULL, key TEXT NOT NULL, operation TEXT NOT NULL, request_hash BLOB NOT NULL,
 status INTEGER NOT NULL, media_type TEXT NOT NULL, body BLOB NOT NULL, made INTEGER NOT NULL,
 PRIMARY KEY (account, key)) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (made);
CREATE TABLE secrets (name TEXT PRIMARY KEY, secret BLOB NOT NULL) STRICT, WITHOUT ROWID;
