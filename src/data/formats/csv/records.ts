import { DataError } from '../../../errors.js';
import type { BadRecords } from '../../bad-records.js';
import { NO_UTF8, utf8Text } from '../../files/index.js';
import type { ColumnBuilder } from '../table/index.js';
import { badValue } from '../table/index.js';
import { wholeNumber } from '../whole-numbers.js';
import { decimalAt, POWERS } from './decimal.js';
import { badNumber, booleanOf, isWhole, numberOf } from './cells.js';

/** How the cells of a record are laid out. */
export interface Layout {
  /** File, for messages. */
  readonly path: string;
  /** Byte between cells. */
  readonly delimiter: number;
  /** Cells that every record has; undefined while that is not known. */
  readonly cells: number | undefined;
  /** Byte with which lines of comments begin; -1 for none. */
  readonly comment: number;
  /** Texts of cells without a value, besides the empty one. */
  readonly missing: ReadonlySet<string>;
}

const QUOTE = 34;
const LF = 10;
const CR = 13;

/** What one call of {@link parseRecords} got through. */
export interface Progress {
  /** Records kept. */
  rows: number;
  /** Byte after the last whole record. */
  at: number;
  /** Line on which the next record begins. */
  line: number;
}

/**
 * Parses whole records (RFC 4180, and any line end) from byte `at` on into builders, one per cell, undefined for cells that are
 * not wanted; stops after `capacity` records, or before a record that the buffer cuts off unless it is the file's `last` bytes.
 * Numbers are read from the bytes; every other cell goes through its text.
 */
export function parseRecords(
  buffer: Buffer,
  from: Progress,
  last: boolean,
  layout: Layout,
  builders: readonly (ColumnBuilder | undefined)[],
  capacity: number,
  bad: BadRecords,
): Progress {
  const { delimiter, path, cells, comment, missing } = layout;
  const end = buffer.length;
  const numeric = builders.map((b) => b !== undefined && b.rules.dtype !== 'string' && b.rules.dtype !== 'bool');
  let { at: p, line, rows } = { ...from, rows: 0 };
  let kept: Progress = { rows: 0, at: p, line };
  while (p < end && rows < capacity) {
    const first = line;
    let cell = 0;
    let error: DataError | undefined;
    if (buffer[p] === comment) {
      while (p < end && buffer[p] !== LF && buffer[p] !== CR) p++;
      if (p >= end && !last) break;
      if (p >= end) {
        kept = { rows, at: p, line };
        break;
      }
    }
    if (buffer[p] === LF || buffer[p] === CR) {
      if (buffer[p] === CR && p + 1 >= end && !last) break;
      p += buffer[p] === CR && buffer[p + 1] === LF ? 2 : 1;
      kept = { rows, at: p, line: ++line };
      continue;
    }
    for (;;) {
      const start = p;
      let text: string | undefined;
      let value = NaN;
      let long = -1;
      let c = p < end ? buffer[p]! : -1;
      if (c === QUOTE) {
        let doubled = false;
        let close = p;
        for (;;) {
          close = buffer.indexOf(QUOTE, close + 1);
          if (close < 0 || buffer[close + 1] !== QUOTE) break;
          doubled = true;
          close++;
        }
        if (close < 0) {
          if (!last) return kept;
          throw new DataError(`${path}, line ${first}: a quote that opens on this line is never closed; is the file truncated?`);
        }
        if (builders[cell] !== undefined) {
          text = utf8Text(buffer, p + 1, close);
          if (text === undefined) error ??= notUtf8(path, first, cell);
          else if (doubled) text = text.replaceAll('""', '"');
        }
        for (let i = buffer.indexOf(LF, p); i >= 0 && i < close; i = buffer.indexOf(LF, i + 1)) line++;
        p = close + 1;
        c = p < end ? buffer[p]! : -1;
        if (c !== delimiter && c !== LF && c !== CR && c !== -1) {
          error ??= new DataError(`${path}, line ${first}: there is text after the closing quote of cell ${cell + 1}.`);
        }
      } else if (numeric[cell] === true) {
        // Exact up to 15 digits and 22 decimal places: one correctly rounded division. What is longer, or has an exponent, is read at its end.
        const negative = c === 45;
        if (negative) c = ++p < end ? buffer[p]! : -1;
        let digits = 0;
        let whole = 0;
        let places = 0;
        for (; c >= 48 && c <= 57; c = ++p < end ? buffer[p]! : -1, digits++) whole = whole * 10 + (c - 48);
        if (c === 46) {
          c = ++p < end ? buffer[p]! : -1;
          for (; c >= 48 && c <= 57; c = ++p < end ? buffer[p]! : -1, places++) whole = whole * 10 + (c - 48);
          digits += places;
        }
        if (digits > 15 || c === 101 || c === 69 /* e, E */) long = start;
        else if ((c === delimiter || c === LF || c === CR || c === -1) && digits > 0) {
          value = places === 0 ? whole : whole / POWERS[places]!;
          if (negative) value = -value;
        }
      }
      while (c !== delimiter && c !== LF && c !== CR && c !== -1) c = ++p < end ? buffer[p]! : -1;
      if (c === -1 && !last) return kept;
      if (c === CR && p + 1 >= end && !last) return kept;
      const builder = builders[cell];
      if (builder !== undefined && error === undefined) {
        let wrong: string | undefined;
        if (long >= 0) value = decimalAt(buffer, long, p);
        if (value === value) wrong = builder.number(rows, value);
        else {
          text ??= utf8Text(buffer, start, p);
          if (text === undefined) error = notUtf8(path, first, cell);
          else wrong = putText(builder, rows, text, missing);
        }
        if (wrong !== undefined) error = badValue(`${path}, line ${first}`, builder.name, wrong);
      }
      if (c === delimiter) {
        p++;
        cell++;
        continue;
      }
      if (c !== -1) {
        p += c === CR && buffer[p + 1] === LF ? 2 : 1;
        line++;
      }
      break;
    }
    if (cells !== undefined && cell + 1 !== cells) {
      error = new DataError(
        `${path}, line ${first}: the record has ${cell + 1} ${cell === 0 ? 'cell' : 'cells'}, but ${cells} were expected.`,
      );
    }
    if (error === undefined) rows++;
    else bad.report(error);
    kept = { rows, at: p, line };
  }
  return kept;
}

function notUtf8(path: string, line: number, cell: number): DataError {
  return new DataError(`${path}, line ${line}: cell ${cell + 1} ${NO_UTF8}.`);
}

function putText(builder: ColumnBuilder, row: number, text: string, missing: ReadonlySet<string>): string | undefined {
  const { dtype } = builder.rules;
  const trimmed = text.trim();
  if (missing.has(trimmed)) return builder.put(row, null);
  if (dtype === 'string') return builder.put(row, text);
  if (trimmed === '') return builder.put(row, null);
  if (dtype === 'bool') return builder.put(row, booleanOf(trimmed) ?? trimmed);
  const value = numberOf(trimmed);
  if (value === undefined) return badNumber(trimmed);
  // A whole number is kept as it is, or refused; a decimal becomes the nearest number.
  if (dtype === 'float64' && Math.abs(value) >= 2 ** 53 && isWhole(trimmed))
    return builder.put(row, wholeNumber(trimmed.replace(/^\+/, '')));
  return builder.number(row, value);
}
