import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError, OrbitError, UsageError } from '../errors.js';
import { crc32c } from './crc32c.js';
import { bucketsOf } from './histogram.js';
import { createSummaryManager, eventFileWriter, readEvents, type SummaryEvent } from './index.js';

const root = await mkdtemp(path.join(tmpdir(), 'summary-'));
let count = 0;
const fresh = (): string => path.join(root, `run${count++}`);
const scalars = (events: SummaryEvent[]): [string, number, unknown][] =>
  events.flatMap((e) => e.values.map((v) => [v.tag, e.step, v.values[0]] as [string, number, unknown]));

describe('crc32c', () => {
  it('gives the published check values', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  });
});

describe('bucketsOf', () => {
  it('counts in equal widths, the last bucket closed on both sides', () => {
    expect([...bucketsOf([0, 1, 2, 3, 4, NaN, Infinity], 2)]).toEqual([0, 2, 2, 2, 4, 3]);
  });
  it('puts equal values into the last bucket, and nothing into zeros', () => {
    expect([...bucketsOf([5, 5], 2)]).toEqual([5, 5, 0, 5, 5, 2]);
    expect([...bucketsOf([], 2)]).toEqual([0, 0, 0, 0, 0, 0]);
  });
  it('counts every value even where the range is larger than a number', () => {
    const rows = bucketsOf([-1.7e308, 0, 1.7e308], 3);
    expect([rows[2], rows[5], rows[8]]).toEqual([1, 1, 1]);
  });
});

describe('eventFileWriter', () => {
  it('makes the file at once, named as TensorBoard expects, with the version first', async () => {
    const directory = path.join(fresh(), 'deep');
    const writer = eventFileWriter(directory);
    const [name] = await readdir(directory);
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\..+\.\d+\.\d+\.v2$/);
    expect(path.join(directory, name!)).toBe(writer.file);
    const [first] = await readEvents(writer.file);
    expect([first!.fileVersion, first!.values]).toEqual(['brain.Event:2', []]);
    expect(Math.abs(first!.wallTimeSeconds - Date.now() / 1000)).toBeLessThan(60);
  });

  it('writes the bytes that the protocol buffers define', async () => {
    const writer = eventFileWriter(fresh());
    writer.scalar('a', 1.5, 300);
    await writer.close();
    const bytes = await readFile(writer.file);
    const second = 12 + Number(bytes.readBigUInt64LE(0)) + 4;
    const event = bytes.subarray(second + 12, second + 12 + Number(bytes.readBigUInt64LE(second)));
    expect(event[0]).toBe(0x09); // 1: double
    expect(event.subarray(9).toString('hex')).toBe(
      '10ac02' + // 2: step 300
        '2a20' + '0a1e' + // 5: summary, 1: value
        '0a0161' + // 1: tag "a"
        '4a0d' + '0a09' + '0a07' + Buffer.from('scalars').toString('hex') + '2001' + // 9: metadata, 1: plugin, 4: class
        '420a' + '0801' + '1200' + '2a04' + '0000c03f', // 8: tensor, 1: float, 2: shape [], 5: [1.5]
    ); // prettier-ignore
  });

  it('keeps numbers, steps and their order, NaN and infinities included', async () => {
    const writer = eventFileWriter(fresh());
    const values: [string, number, number][] = [['loss', 0, 0.25], ['loss', 1, NaN], ['acc/top é', 2 ** 40, -Infinity], ['loss', 2, 0]]; // prettier-ignore
    for (const [tag, step, value] of values) writer.scalar(tag, value, step);
    await writer.flush();
    expect(scalars(await readEvents(writer.file))).toEqual(values);
    writer.scalar('loss', 3, 3);
    await writer.close();
    expect(scalars(await readEvents(writer.file)).at(-1)).toEqual(['loss', 3, 3]);
  });

  it('writes many events, more than fit its buffer, while others are recorded', async () => {
    const writer = eventFileWriter(fresh());
    for (let step = 0; step < 5000; step++) {
      writer.scalar('x', step, step);
      if (step % 1000 === 0) await Promise.resolve();
    }
    writer.text('long', 'é'.repeat(200_000), 1);
    await writer.flush();
    const read = scalars(await readEvents(writer.file));
    expect(read.slice(0, 5000).every(([, step, value], i) => step === i && value === i)).toBe(true);
    expect((read[5000]![2] as string).length).toBe(200_000);
  });

  it('writes histograms and texts', async () => {
    const writer = eventFileWriter(fresh());
    writer.histogram('weights', Float32Array.from([0, 1, 3]), 4);
    writer.text('notes', '**bold**', 5);
    await writer.flush();
    const [, histogram, text] = await readEvents(writer.file);
    expect(histogram!.values[0]).toMatchObject({ tag: 'weights', plugin: 'histograms', shape: [30, 3], values: [...bucketsOf([0, 1, 3])] });
    expect(text!.values[0]).toEqual({ tag: 'notes', plugin: 'text', shape: [], values: ['**bold**'] });
  });

  it('opens files of different names for several writers of one directory', () => {
    const directory = fresh();
    expect(eventFileWriter(directory).file).not.toBe(eventFileWriter(directory).file);
  });

  it('says what is wrong with a step, a value, a directory, or a closed writer', async () => {
    const writer = eventFileWriter(fresh());
    expect(() => writer.scalar('x', 1, 0.5)).toThrow(/"x" needs a whole number as step, found 0.5/);
    expect(() => writer.scalar('x', '1' as unknown as number, 1)).toThrow(/must be a number, found string/);
    await writer.close();
    expect(() => writer.scalar('x', 1, 1)).toThrow(UsageError);
    expect(() => eventFileWriter(path.join(writer.file, 'sub'))).toThrow(OrbitError);
    expect(() => eventFileWriter(path.join(writer.file, 'sub'))).toThrow(/Cannot write summaries to/);
  });

  it('reports a failed append at the next flush, once', async () => {
    const directory = fresh();
    const writer = eventFileWriter(directory);
    await rm(directory, { recursive: true });
    writer.scalar('x', 1, 1);
    await expect(writer.flush()).rejects.toThrow(/Cannot write summaries to/);
    await writer.flush();
  });
});

describe('readEvents', () => {
  it('ends before a torn last event, and refuses a changed one', async () => {
    const writer = eventFileWriter(fresh());
    writer.scalar('x', 1, 1);
    writer.scalar('x', 2, 2);
    await writer.close();
    const bytes = await readFile(writer.file);
    await writeFile(writer.file, bytes.subarray(0, bytes.length - 5));
    expect(scalars(await readEvents(writer.file))).toEqual([['x', 1, 1]]);
    bytes[bytes.length - 8]! ^= 1;
    await writeFile(writer.file, bytes);
    await expect(readEvents(writer.file)).rejects.toThrow(DataError);
    await appendFile(writer.file, 'x');
    await expect(readEvents(`${writer.file}.none`)).rejects.toThrow(/Cannot read the event file/);
  });
});

describe('createSummaryManager', () => {
  it('writes nested results into nested directories at the current step', async () => {
    const directory = fresh();
    const globalStep = { value: 7 };
    const manager = createSummaryManager(directory, { globalStep });
    await manager.writeSummaries({ a: { loss: 1, acc: 2 }, b: { loss: 3 }, x: 4 });
    await manager.flush();
    const read = async (sub: string): Promise<unknown> => {
      const [name] = (await readdir(path.join(directory, sub))).filter((n) => n.startsWith('events'));
      return scalars(await readEvents(path.join(directory, sub, name!)));
    };
    expect([await read(''), await read('a'), await read('b')]).toEqual([[['x', 7, 4]], [['loss', 7, 1], ['acc', 7, 2]], [['loss', 7, 3]]]); // prettier-ignore
  });
});

const python = findTensorboard();

describe('TensorBoard itself', () => {
  it.skipIf(python === null)('reads what we write', async () => {
    const directory = fresh();
    const writer = eventFileWriter(directory);
    writer.scalar('loss', 0.5, 10);
    writer.scalar('loss', 0.25, 20);
    writer.histogram('weights', [0, 1, 3], 4);
    writer.text('notes', 'hello', 5);
    await writer.close();
    const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
a = EventAccumulator(sys.argv[1]); a.Reload()
def tensors(tag): return [[e.step, tensor_util.make_ndarray(e.tensor_proto)] for e in a.Tensors(tag)]
print(json.dumps({
  "plugins": {t: a.SummaryMetadata(t).plugin_data.plugin_name for t in a.Tags()["tensors"]},
  "classes": {t: int(a.SummaryMetadata(t).data_class) for t in a.Tags()["tensors"]},
  "loss": [[s, float(v)] for s, v in tensors("loss")],
  "weights": [[s, list(v.shape), v.sum(axis=0).tolist()[2]] for s, v in tensors("weights")],
  "notes": [[s, v.item().decode()] for s, v in tensors("notes")],
}))`;
    const output = execFileSync(python!, ['-c', script, directory], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    expect(JSON.parse(output)).toEqual({
      plugins: { loss: 'scalars', weights: 'histograms', notes: 'text' },
      classes: { loss: 1, weights: 2, notes: 2 },
      loss: [[10, 0.5], [20, 0.25]],
      weights: [[4, [30, 3], 3]],
      notes: [[5, 'hello']],
    }); // prettier-ignore
  });
});

function findTensorboard(): string | null {
  for (const candidate of [process.env['ORBIT_PYTHON'], 'python3'].filter((p) => p !== undefined)) {
    try {
      execFileSync(candidate, ['-c', 'import tensorboard'], { stdio: 'ignore' });
      return candidate;
    } catch {
      // try the next one
    }
  }
  console.log('Skipped reading event files with TensorBoard: no Python with the module tensorboard (set ORBIT_PYTHON).');
  return null;
}
