/** Numbers of the ZIP format that reader and writer share. */

/** The words that begin the records of an archive. */
export const signatures = { local: 0x04034b50, entry: 0x02014b50, end64: 0x06064b50, locator64: 0x07064b50, end: 0x06054b50 } as const;

/** Bytes of the record before a member's name and values. */
export const localHeaderBytes = 30;
