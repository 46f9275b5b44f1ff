-- The index: everything here is read from the log, and only from there. Delete the file,
-- follow the log again, and the same rows come back (the same program version presumed).
--
-- So that they do, and so that erasing a part takes all it said along, every row is read from
-- one event or from one part of it, and carries that one's number:
--     position    place in the log, from 0
--     part        position × 2^20 + number within the event; so `part >> 20` is the position
--     texts.id    part × 8 + number of the text within the part; so `id >> 3` is the part
-- Only `withdrawn` and the marks of erasing depend on two events.
--
-- Names and digests are the 32 bytes of a SHA-256. The views at the end spell them out; they are
-- what other programs may rely on.

CREATE TABLE followed (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    size INTEGER NOT NULL,         -- entries read so far
    last BLOB                      -- name of the last one; it commits to all before it
) STRICT;

CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    name BLOB NOT NULL,
    kind TEXT NOT NULL,
    means TEXT NOT NULL,
    actor TEXT,
    project BLOB,
    stream TEXT,
    seq INTEGER,
    occurred_at TEXT,
    occurred_by TEXT,
    claimed_ms INTEGER,            -- occurred_at of a recovered event, in milliseconds since 1970
    recorded_at TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    tool TEXT
) STRICT;
CREATE INDEX events_by_name ON events (name);
CREATE INDEX events_by_kind ON events (kind, position);
CREATE INDEX events_by_project ON events (project, position) WHERE project IS NOT NULL;
CREATE INDEX events_by_stream ON events (stream, seq) WHERE stream IS NOT NULL;
CREATE INDEX events_by_actor ON events (actor, position) WHERE actor IS NOT NULL;
CREATE INDEX jobs_as_they_happened ON events (position)
    WHERE kind IN ('prompted', 'generated', 'attempted') AND means IN ('live', 'spooled', 'watched');

CREATE TABLE cites (
    position INTEGER NOT NULL,
    cited BLOB NOT NULL,
    PRIMARY KEY (position, cited)
) STRICT, WITHOUT ROWID;
CREATE INDEX cites_by_cited ON cites (cited);

-- Withdrawn by a withdrawal that was not itself taken back.
CREATE TABLE withdrawn (position INTEGER PRIMARY KEY) STRICT;

-- No index by digest: erasing asks for it, rarely, and reads all rows once. Millions of digests in
-- random order would cost every event that is followed.
CREATE TABLE parts (
    part INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    type TEXT NOT NULL,
    state TEXT NOT NULL,           -- shown sealed erased
    list INTEGER                   -- the list part that cites it, where it is not the header
) STRICT;
CREATE INDEX parts_by_list ON parts (list) WHERE list IS NOT NULL;
CREATE INDEX parts_not_shown ON parts (part) WHERE state <> 'shown';

-- A file part that is sealed or erased keeps its row, with nothing but its name.
CREATE TABLE files (
    part INTEGER PRIMARY KEY,
    name BLOB NOT NULL,            -- digest of the part: the picture's name in all other parts
    blob BLOB,                     -- digest of the bytes
    given INTEGER NOT NULL,        -- 1: the event made or brought it; 0: it used it
    picture INTEGER NOT NULL,      -- 1: a picture to show in a list
    role TEXT,
    size INTEGER,
    holding TEXT,
    media_type TEXT,
    width INTEGER,
    height INTEGER,
    number INTEGER
) STRICT;
CREATE INDEX files_by_name ON files (name, blob);
CREATE INDEX files_by_blob ON files (blob, picture, part) WHERE blob IS NOT NULL;
CREATE INDEX files_shown ON files (part) WHERE picture = 1;

-- `part` names `file`, a file part, mostly of another event.
CREATE TABLE namings (
    part INTEGER NOT NULL,
    file BLOB NOT NULL,
    PRIMARY KEY (part, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX namings_by_file ON namings (file);

CREATE TABLE choices (
    part INTEGER PRIMARY KEY,
    final INTEGER NOT NULL,
    among_from TEXT NOT NULL
) STRICT;

CREATE TABLE judged (
    part INTEGER NOT NULL,
    file BLOB NOT NULL,
    PRIMARY KEY (part, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX judged_by_file ON judged (file, part);

CREATE TABLE prompts (
    part INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    written TEXT NOT NULL,
    ordinal INTEGER NOT NULL
) STRICT;

CREATE TABLE texts (
    id INTEGER PRIMARY KEY,
    field TEXT NOT NULL,           -- prompt typed_prompt negative typed_negative title note reason report
    text TEXT NOT NULL
) STRICT;

-- Words of `texts`, by its id. CJK text goes in as pairs of neighbouring signs. Without content of
-- its own: what is to be forgotten is told to it once more.
CREATE VIRTUAL TABLE words USING fts5 (text, content = '', columnsize = 0, tokenize = "unicode61 remove_diacritics 2");

CREATE TABLE readings (
    part INTEGER PRIMARY KEY,
    file BLOB,
    tool TEXT,
    reader TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    main INTEGER NOT NULL,
    state TEXT NOT NULL,
    fields TEXT NOT NULL           -- JSON: name → {value, state, source}
) STRICT;

-- Which document a record is of, as editors name it.
CREATE TABLE documents (
    part INTEGER PRIMARY KEY,
    id TEXT NOT NULL
) STRICT;
CREATE INDEX documents_by_id ON documents (id, part);

CREATE TABLE jobs (
    part INTEGER NOT NULL,
    tool TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (part, tool, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_id ON jobs (tool, id);

CREATE TABLE places (
    part INTEGER PRIMARY KEY,
    file BLOB,                     -- the file part that lay there
    path TEXT,
    name TEXT,
    url TEXT,
    account TEXT,
    host TEXT
) STRICT;
CREATE INDEX places_by_path ON places (path, part) WHERE path IS NOT NULL;
CREATE INDEX places_by_url ON places (url, part) WHERE url IS NOT NULL;

-- Where a recovered file lay and when, by its own word, it was made.
CREATE TABLE claims (
    part INTEGER PRIMARY KEY,
    folder TEXT,
    at_ms INTEGER NOT NULL,
    job INTEGER NOT NULL
) STRICT;
CREATE INDEX claims_by_folder ON claims (folder, at_ms, part) WHERE job = 1;

-- One event's word about one stream; `part` is NULL where its header says it.
CREATE TABLE stream_facts (
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,            -- opened closed pulse gap
    stream TEXT NOT NULL,
    "of" TEXT,
    last INTEGER,
    part INTEGER
) STRICT;
CREATE INDEX stream_facts_by_stream ON stream_facts (stream, position);
CREATE INDEX stream_facts_by_kind ON stream_facts (kind, position);

CREATE TABLE stamps (
    part INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    checkpoint TEXT NOT NULL       -- the signed note that was stamped
) STRICT;

CREATE TABLE receipts (
    part INTEGER NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    authority TEXT NOT NULL,
    what TEXT NOT NULL,            -- checkpoint, sheet, file
    about BLOB NOT NULL,           -- digest of what was stamped
    pending INTEGER NOT NULL,      -- 1: counts for nothing yet
    facts TEXT NOT NULL,           -- the receipt as its event tells of it, JSON
    PRIMARY KEY (part, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE checks (
    part INTEGER PRIMARY KEY,
    boot TEXT
) STRICT;

-- Comparisons with a generator's own history; no health checks.
CREATE TABLE second_looks (
    part INTEGER PRIMARY KEY,
    tool TEXT NOT NULL,
    url TEXT NOT NULL
) STRICT;
CREATE INDEX second_looks_by_address ON second_looks (tool, url, part);

CREATE TABLE people (
    part INTEGER NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    kind TEXT NOT NULL,
    role TEXT,
    version TEXT,
    key TEXT,
    account TEXT,
    bound_by TEXT,
    PRIMARY KEY (part, number)
) STRICT, WITHOUT ROWID;

-- What `erased` events took: parts, or the bytes of the files that file parts name.
CREATE TABLE erasures (
    part INTEGER NOT NULL,
    digest BLOB NOT NULL,
    what TEXT NOT NULL,            -- part bytes
    PRIMARY KEY (part, what, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX erasures_by_digest ON erasures (digest);

-- What other programs may read.

CREATE VIEW public_events AS
SELECT position, 'sha256:' || lower(hex(name)) AS name, kind, means, actor,
       iif(project IS NULL, NULL, 'sha256:' || lower(hex(project))) AS project, stream, seq, occurred_at, occurred_by, recorded_at, source, tool,
       position IN (SELECT position FROM withdrawn) AS withdrawn
  FROM events;

CREATE VIEW public_files AS
SELECT part >> 20 AS position, 'sha256:' || lower(hex(name)) AS name,
       iif(blob IS NULL, NULL, 'sha256:' || lower(hex(blob))) AS digest, role, size, media_type, width, height, number,
       CASE WHEN name IN (SELECT digest FROM erasures WHERE what = 'bytes') THEN 'erased' ELSE holding END AS holding
  FROM files;

CREATE VIEW public_texts AS
SELECT id >> 23 AS position, field, text FROM texts;

CREATE VIEW public_parameters AS
SELECT part >> 20 AS position, tool, ordinal, main, field.key AS name,
       json_extract(field.value, '$.value') AS value, json_extract(field.value, '$.state') AS state
  FROM readings, json_each(readings.fields) AS field;

CREATE VIEW public_choices AS
SELECT judged.part >> 20 AS position, kind, final, 'sha256:' || lower(hex(file)) AS file,
       position IN (SELECT position FROM withdrawn) AS withdrawn
  FROM judged JOIN choices USING (part) JOIN events ON events.position = judged.part >> 20;

CREATE VIEW public_places AS
SELECT part >> 20 AS position, iif(file IS NULL, NULL, 'sha256:' || lower(hex(file))) AS file, path, name, url, account, host FROM places;
