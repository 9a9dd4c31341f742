import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fromCsv } from './index.js';

let directory: string;
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'orbit-csv-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

describe('fromCsv', () => {
  it('gives back any texts and numbers that are written by the rules of RFC 4180', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é', '日', ' '), maxLength: 8 });
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.integer({ min: -9999, max: 9999 }).map((n) => n / 1000),
    );
    const rows = fc.array(fc.record({ t: text, n: number }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom('\n', '\r\n'), fc.boolean(), async (expected, lineEnd, last) => {
        const path = join(directory, 'any.csv');
        const lines = ['t,n', ...expected.map(({ t, n }) => `${quoted(t)},${n}`)];
        writeFileSync(path, lines.join(lineEnd) + (last ? lineEnd : ''));
        const read = await fromCsv(path, { columns: { t: 'string', n: 'float64' } }).toArray();
        expect(read.map(({ t, n }) => ({ t, n: n.data[0]! + 0 }))).toEqual(expected.map(({ t, n }) => ({ t, n: n + 0 })));
      }),
      { numRuns: 60 },
    );
  });

  it('reads files of several pieces with cells across their borders, compressed or not, and resumes in each', async () => {
    const count = 60_000;
    const line = (i: number): string => `${i},"text, ""${i}""\nnext",${i / 8}\n`;
    const content = `id,text,x\n${Array.from({ length: count }, (_, i) => line(i)).join('')}`;
    const plain = join(directory, 'large.csv');
    const zipped = join(directory, 'large.csv.gz');
    writeFileSync(plain, content);
    writeFileSync(zipped, gzipSync(content));
    const columns = { id: 'int32', text: 'string', x: 'float32' } as const;
    for (const path of [plain, zipped]) {
      const open = () => fromCsv(path, { columns, batchSize: 1000 });
      let rows = 0;
      for await (const { id, text, x } of open()) {
        for (let i = 0; i < id.rows; i++, rows++) {
          if (id.data[i] !== rows || text[i] !== `text, "${rows}"\nnext` || x.data[i] !== rows / 8)
            throw new Error(`record ${rows} differs`);
        }
      }
      expect(rows).toBe(count);
      const first = open().iterator();
      for (let i = 0; i < 37; i++) await first.next();
      const second = open().iterator();
      second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
      expect((await second.next()).value!.id.data[0]).toBe(37_000);
      await Promise.all([first.return(), second.return()]);
    }
    writeFileSync(plain, `${content}1,"a",bad\n`);
    await expect(fromCsv(plain, { columns, batchSize: 1000 }).toArray()).rejects.toThrow(`line ${2 + 2 * count}, column x`);
  });
});
