/** Writes the event file of one directory, which TensorBoard shows. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { OrbitError, UsageError } from '../errors.js';
import type { SummaryWriter } from '../orbit/index.js';
import { histogramSummary, scalarSummary, summaryEvent, textSummary, versionEvent } from './event.js';
import { bucketsOf } from './histogram.js';
import { putRecord, recordOverhead } from './record.js';

/** A {@link SummaryWriter} of an event file. */
export interface EventFileWriter extends SummaryWriter {
  /** Path of the file. */
  readonly file: string;
  histogram(tag: string, values: ArrayLike<number>, step: number): void;
  /** Records a text; TensorBoard shows it as Markdown. */
  text(tag: string, text: string, step: number): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Buffered bytes that start an append to the file without being asked. */
const appendBytes = 64 << 10;
let opened = 0;

/**
 * Opens an event file in `directory`, which is made if need be; the file is there when this returns.
 *
 * Recording is cheap and never waits: events are buffered, and appended in the background when there are many or at `flush`.
 * Numbers are stored as float32.
 * @throws OrbitError naming the directory when it cannot be written; a later failure is thrown by the next `flush` or `close`
 */
export function eventFileWriter(directory: string): EventFileWriter {
  const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
  const name = `events.out.tfevents.${seconds}.${hostname() || 'host'}.${process.pid}.${opened++}.v2`;
  const file = path.join(directory, name);
  const first = versionEvent(Date.now() / 1000);
  const record = Buffer.alloc(first.length + recordOverhead);
  putRecord(record, 0, first);
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, record, { flag: 'wx' });
  } catch (error) {
    throw cannotWrite(file, error);
  }
  return new Writer(file);
}

class Writer implements EventFileWriter {
  private buffer = Buffer.allocUnsafe(2 * appendBytes);
  private used = 0;
  private closed = false;
  private appending: Promise<void> = Promise.resolve();
  private failure: unknown;
  private readonly scalars = new Map<string, { readonly bytes: Uint8Array; readonly value: DataView }>();

  constructor(readonly file: string) {}

  scalar(tag: string, value: number, step: number): void {
    // All but the number is the same for a tag: encode it once.
    let template = this.scalars.get(tag);
    if (!template) {
      const bytes = scalarSummary(tag, 0);
      template = { bytes, value: new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4) };
      this.scalars.set(tag, template);
    }
    if (typeof value !== 'number') throw new UsageError(`The summary "${tag}" must be a number, found ${typeof value}.`);
    template.value.setFloat32(0, value, true);
    this.add(tag, step, template.bytes);
  }

  histogram(tag: string, values: ArrayLike<number>, step: number): void {
    this.add(tag, step, histogramSummary(tag, bucketsOf(values)));
  }

  text(tag: string, text: string, step: number): void {
    this.add(tag, step, textSummary(tag, text));
  }

  async flush(): Promise<void> {
    this.append();
    await this.appending;
    const failure = this.failure;
    this.failure = undefined;
    if (failure !== undefined) throw cannotWrite(this.file, failure);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.flush();
  }

  private add(tag: string, step: number, summary: Uint8Array): void {
    if (this.closed) throw new UsageError(`The summary "${tag}" cannot be written: its writer is closed (${this.file}).`);
    if (!Number.isSafeInteger(step)) throw new UsageError(`The summary "${tag}" needs a whole number as step, found ${step}.`);
    const event = summaryEvent(Date.now() / 1000, step, summary);
    const needed = event.length + recordOverhead;
    if (this.used + needed > this.buffer.length) {
      this.append();
      if (needed > this.buffer.length) this.buffer = Buffer.allocUnsafe(needed);
    }
    this.used = putRecord(this.buffer, this.used, event);
    if (this.used >= appendBytes) this.append();
  }

  /** Starts to append what is buffered, after what is being appended. */
  private append(): void {
    if (this.used === 0) return;
    const chunk = Buffer.from(this.buffer.subarray(0, this.used)); // a copy: the buffer is used again at once
    this.used = 0;
    this.appending = this.appending
      .then(() => appendFile(this.file, chunk))
      .catch((error: unknown) => {
        this.failure ??= error;
      });
  }
}

function cannotWrite(file: string, cause: unknown): OrbitError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason =
    code === 'ENOSPC'
      ? 'the disk is full'
      : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? `it may not be written (${code})`
        : message;
  return new OrbitError(`Cannot write summaries to "${file}": ${reason}. Choose another directory, or free space.`, { cause });
}
