import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { runCommandLine } from './program.js';

const fixtures = path.resolve(import.meta.dirname, '../../tests/fixtures/data');
let out: string;
let err: string;
beforeEach(() => {
  out = err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});
afterEach(() => void vi.restoreAllMocks());

describe('orbit data inspect', () => {
  it('shows format, count, schema and first records', async () => {
    expect(await runCommandLine(['data', 'inspect', path.join(fixtures, 'table.csv.zst'), '--rows=2'])).toBe(0);
    expect(out).toMatch(/^format {3}CSV, zstd$/m);
    expect(out).toMatch(/^records {2}25$/m);
    expect(out).toMatch(/^ {2}id {6}int32\n {2}weight {2}float32$/m);
    expect(out).toMatch(/^ {2}id -10 {2}weight -2 {2}tiny 1\.50e-7 {2}name "row \\"0\\", α" {2}ok true$/m);
  });

  it('prints one line of JSON', async () => {
    expect(await runCommandLine(['data', 'inspect', path.join(fixtures, 'images'), '--json'])).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      format: 'folder of classes',
      records: 6,
      schema: [{ name: 'blue', type: 'label 0, 3 files' }, { name: 'red' }],
    });
  });

  it('answers a missing file, an unknown format and a wrong flag with one paragraph', async () => {
    expect(await runCommandLine(['data', 'inspect', 'nothing.csv'])).toBe(1);
    expect(err).toMatch(/^orbit: nothing\.csv cannot be read: there is no such file .*\n$/);
    err = '';
    expect(await runCommandLine(['data', 'inspect', path.join(fixtures, '../generate-losses.py')])).toBe(1);
    expect(err).toMatch(/the format cannot be told .* Known: CSV, JSON lines/);
    err = '';
    expect(await runCommandLine(['data', 'inspect'])).toBe(2);
    expect(err).toMatch(/^orbit: orbit data inspect needs at least one path: a file \(data\/train\.csv\)/);
    err = '';
    expect(await runCommandLine(['data', 'inspect', 'x', '--rows=some'])).toBe(2);
    expect(err).toMatch(/--rows=some: write a whole number from 0/);
  });
});
