import { DataError } from '../../../errors.js';
import { ByteWindow, textStart, utf8Text, type Compression } from '../../files/index.js';
import { count, list } from '../../random-access.js';
import type { Block, BlockReader } from '../../sources/blocks.js';
import type { PositionValue } from '../../stage.js';

/** A line longer than this comes from a file that is no text. */
const LARGEST_LINE_BYTES = 2 ** 28;
const LF = 10;

/** Reads a file some lines at a time; `make` turns them into records. Positions are (byte of the uncompressed file, line). */
export class LineReader<R, B> implements BlockReader<R, B> {
  readonly #window: ByteWindow;
  #line = 1;

  constructor(
    readonly path: string,
    compression: Compression,
    /** Makes records of lines; a line that is no UTF-8 is undefined. */
    readonly make: (lines: (string | undefined)[], firstLine: number) => Block<R, B>,
  ) {
    this.#window = new ByteWindow(path, compression);
  }

  get seekable(): boolean {
    return this.#window.seekable;
  }

  async next(): Promise<{ block: Block<R, B>; position: PositionValue } | undefined> {
    const window = this.#window;
    let end = -1;
    for (let from = window.at; ;) {
      end = window.buffer.lastIndexOf(LF) + 1;
      if (end > from || window.ended) break;
      if (window.buffer.length - window.at > LARGEST_LINE_BYTES) {
        throw new DataError(`${this.path}, line ${this.#line}: the line is longer than 256 MB; is the file text?`);
      }
      await window.more();
      from = window.at;
    }
    if (window.ended && end <= window.at) end = window.buffer.length;
    if (end <= window.at) return undefined;
    const position = [window.offset, this.#line];
    const begin = window.offset === 0 ? textStart(this.path, window.buffer) : window.at;
    const lines = linesOf(window.buffer, begin, end);
    if (lines.at(-1) === '') lines.pop();
    for (let i = 0; i < lines.length; i++) if (lines[i]?.endsWith('\r')) lines[i] = lines[i]!.slice(0, -1);
    const first = this.#line;
    window.at = end;
    this.#line += lines.length;
    return { block: this.make(lines, first), position };
  }

  async seek(position: PositionValue): Promise<void> {
    const [offset, line] = list(position, 'position in a file');
    await this.#window.seek(count(offset, 'byte offset'));
    this.#line = count(line, 'line number');
    await this.#window.more();
  }

  close(): Promise<void> {
    return this.#window.close();
  }
}

/** The lines of some bytes; undefined for those that are no UTF-8. */
function linesOf(buffer: Buffer, begin: number, end: number): (string | undefined)[] {
  const text = utf8Text(buffer, begin, end);
  if (text !== undefined) return text.split('\n');
  const lines: (string | undefined)[] = [];
  for (let at = begin; at < end;) {
    const next = buffer.indexOf(LF, at);
    const to = next < 0 || next >= end ? end : next;
    lines.push(utf8Text(buffer, at, to));
    at = to + 1;
  }
  return lines;
}
