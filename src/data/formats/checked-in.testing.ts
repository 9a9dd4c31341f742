import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach } from 'vitest';

import { setNoticeHandler } from '../index.js';

const fixtures = resolve(import.meta.dirname, '../../../tests/fixtures/data');

/** The path of a small file that is checked in, written by scripts/make-format-fixtures.py or a script beside it. */
export const at = (name: string): string => join(fixtures, name);

/** What the checked-in files hold. */
export const expected = JSON.parse(readFileSync(at('expected.json'), 'utf8')) as {
  readonly table: readonly { id: number; weight: number; tiny: number; name: string; ok: boolean }[];
  readonly ramp: number[][];
  readonly tokens: { text: string; ids: number[] }[];
  readonly vocabulary_size: number;
  readonly centre: Record<string, number[]>;
};

/** A folder for the tests of one file, removed after them, and the notices of the test that runs. */
export function testFolder(): {
  readonly directory: string;
  readonly notices: string[];
  readonly write: (name: string, content: string | Uint8Array) => string;
} {
  const directory = mkdtempSync(join(tmpdir(), 'orbit-formats-'));
  const notices: string[] = [];
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
    setNoticeHandler();
  });
  beforeEach(() => {
    notices.length = 0;
    setNoticeHandler((message) => void notices.push(message));
  });
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  return { directory, notices, write };
}
