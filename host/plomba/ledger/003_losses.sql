-- Records that a terminal's flash lost before anybody had them. The chain value behind them is the terminal's word, which
-- the signature of the record after them proves.
CREATE TABLE loss (
    chain INTEGER NOT NULL REFERENCES chain (id),
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    previous BLOB NOT NULL,
    accepted INTEGER NOT NULL,
    PRIMARY KEY (chain, last_seq)
) WITHOUT ROWID;

-- Pages of a terminal's journal that hold neither a record nor nothing, as flash had them.
CREATE TABLE damaged_page (
    chain INTEGER NOT NULL REFERENCES chain (id),
    page INTEGER NOT NULL,
    content BLOB NOT NULL,
    found INTEGER NOT NULL,
    PRIMARY KEY (chain, page, content)
) WITHOUT ROWID;
