import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import type { LogEntry, Output } from '../orbit/index.js';
import { CsvLogger, JsonLinesLogger } from './index.js';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(path.join(tmpdir(), 'orbit-loggers-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const train = (step: number, values: Output): LogEntry => ({ kind: 'train', step, wallTime: 1000 + step, values });
const read = (name: string): string => readFileSync(path.join(directory, 'logs', name), 'utf8');

describe('CsvLogger', () => {
  it('writes a heading and a row per entry, training and evaluation apart', () => {
    const logger = new CsvLogger(path.join(directory, 'logs'));
    logger.log(train(10, { loss: 0.5, dev: { f1: 0.25 } }));
    logger.log({ kind: 'eval', step: 10, wallTime: 2, values: { accuracy: 1 } });
    logger.log(train(20, { loss: NaN, dev: { f1: 1e-7 } }));
    logger.close();
    expect(read('train.csv')).toBe('step,wall_time,loss,dev/f1\n10,1010,0.5,0.25\n20,1020,NaN,1e-7\n');
    expect(read('validation.csv')).toBe('step,wall_time,accuracy\n10,2,1\n');
  });

  it('adds a column where a result comes later, and quotes what needs it', () => {
    const logger = new CsvLogger(path.join(directory, 'logs'));
    logger.log(train(1, { loss: 1 }));
    logger.log(train(2, { loss: 2, 'a,b': [1, 2], note: 'say "yes"\nor no' }));
    logger.log(train(3, { loss: 3 }));
    logger.close();
    expect(read('train.csv')).toBe('step,wall_time,loss,"a,b",note\n1,1001,1,,\n2,1002,2,"[1,2]","say ""yes"" or no"\n3,1003,3,,\n');
    const again = new CsvLogger(path.join(directory, 'logs'));
    again.log(train(4, { loss: 4, 'a,b': [] }));
    again.close();
    expect(read('train.csv').split('\n')[4]).toBe('4,1004,4,[],');
  });

  it('of a resumed run goes on in the same file and replaces the steps that it makes again', () => {
    const first = new CsvLogger(path.join(directory, 'logs'));
    for (const step of [1, 2, 3]) first.log(train(step, { loss: step }));
    first.close();
    appendFileSync(path.join(directory, 'logs/train.csv'), '4,10'); // killed while it wrote
    const second = new CsvLogger(path.join(directory, 'logs'));
    second.log(train(2, { loss: 22 }));
    second.log(train(3, { loss: 33 }));
    second.close();
    expect(read('train.csv')).toBe('step,wall_time,loss\n1,1001,1\n2,1002,22\n3,1003,33\n');
  });
});

describe('JsonLinesLogger', () => {
  it('writes a line of JSON per entry, with texts for what JSON lacks', () => {
    const logger = new JsonLinesLogger(path.join(directory, 'logs'));
    logger.log(train(10, { loss: Infinity, dev: { f1: 0.25 }, counts: Int32Array.of(1, 2) }));
    logger.log(train(20, { loss: 0.5 }));
    logger.close();
    const lines = read('train.jsonl').trim().split('\n').map((line) => JSON.parse(line) as object); // prettier-ignore
    expect(lines).toEqual([
      { step: 10, wall_time: 1010, loss: 'Infinity', 'dev/f1': 0.25, counts: [1, 2] },
      { step: 20, wall_time: 1020, loss: 0.5 },
    ]);
  });

  it('replaces steps that are made again after a roll-back, and a line that was cut off', () => {
    const logger = new JsonLinesLogger(path.join(directory, 'logs'));
    for (const step of [1, 2, 3]) logger.log(train(step, { loss: step }));
    logger.log(train(2, { loss: 22 }));
    logger.close();
    appendFileSync(path.join(directory, 'logs/train.jsonl'), '{"step":3,"wa');
    const resumed = new JsonLinesLogger(path.join(directory, 'logs'));
    resumed.log(train(3, { loss: 33 }));
    resumed.close();
    const losses = read('train.jsonl').trim().split('\n').map((line) => (JSON.parse(line) as { loss: number }).loss); // prettier-ignore
    expect(losses).toEqual([1, 22, 33]);
  });

  it('says which file cannot be written', () => {
    writeFileSync(path.join(directory, 'logs'), ''); // in the way of the directory
    const logger = new JsonLinesLogger(path.join(directory, 'logs'));
    expect(() => logger.log(train(1, {}))).toThrow(UsageError);
    expect(() => logger.log(train(1, {}))).toThrow(/Cannot write the log .*train\.jsonl/);
  });
});
