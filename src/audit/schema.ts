/** `json` is the entry as it was hashed: nothing else of it is stored, so there is nothing that could say otherwise. */
export const SCHEMA = `CREATE TABLE entry (seq INTEGER PRIMARY KEY, json TEXT NOT NULL, hash TEXT NOT NULL)`;

/** The place of the newest entry, and that of the newest that was deleted for its age. */
export const HEAD_KEY = "head";
export const ANCHOR_KEY = "anchor";
