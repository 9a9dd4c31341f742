import { describe, expect, it } from 'vitest';

import { dataConfig, extendDataConfig, type DataConfigInput } from '../config.js';
import { calculateBatchSizes, CombinationDatasetInputReader, fromItems, InputReader, inputReaderGenerator } from '../index.js';
import { field } from '../../config/index.js';

const schema = extendDataConfig(
  {
    /** Pseudo-labeled data. */
    pseudo_label_data: field.config(extendDataConfig({ data_ratio: 1, file_type: 'tfrecord' }, { name: 'Pseudo' })),
  },
  { name: 'Combined' },
);
const params = (input: DataConfigInput, second: object) =>
  schema({
    input_path: 'a',
    global_batch_size: 4,
    ...input,
    pseudo_label_data: { input_path: 'p', data_ratio: 1, global_batch_size: 0, file_type: 'tfrecord', ...second },
  });
/** "Files" that need no disk: file `a` holds a0, a1, … */
const items = (count: number) => (paths: string | readonly string[]) =>
  fromItems([paths].flat().flatMap((path) => Array.from({ length: count }, (_, i) => `${path}${i}`)));
const make = (input: DataConfigInput, second: object) =>
  new CombinationDatasetInputReader({
    params: params(input, second),
    datasetFn: items(9),
    pseudoLabelDatasetFn: items(7),
    parserFn: (x) => x,
  });

describe('calculateBatchSizes', () => {
  it('follows the ratio, or the size where the ratio is negative', () => {
    // Worked out by hand from ⌊total · r / (1 + r)⌋.
    expect([
      calculateBatchSizes(8, 0, 3),
      calculateBatchSizes(8, 1, 3),
      calculateBatchSizes(10, 3, 0),
      calculateBatchSizes(10, 0.5, 0),
      calculateBatchSizes(10, -1, 3),
      calculateBatchSizes(10, -1, 10),
    ]).toEqual([
      { labeled: 8, pseudo: 0 },
      { labeled: 4, pseudo: 4 },
      { labeled: 3, pseudo: 7 },
      { labeled: 7, pseudo: 3 },
      { labeled: 7, pseudo: 3 },
      { labeled: 0, pseudo: 10 },
    ]);
    expect(() => calculateBatchSizes(-1, 1, 0)).toThrow(/global_batch_size is -1/);
    expect(() => calculateBatchSizes(4, -1, 5)).toThrow(/it is 5, expected 0 to 4/);
    expect(() => calculateBatchSizes(4, -1, -1)).toThrow(/it is -1, expected 0 to 4/);
  });
});

describe('CombinationDatasetInputReader', () => {
  it('joins batches of both sources, labeled first, and ends with the shorter one', async () => {
    expect(await make({}, { data_ratio: 3 }).read().toArray()).toEqual([
      ['a0', 'p0', 'p1', 'p2'],
      ['a1', 'p3', 'p4', 'p5'],
    ]);
    expect(await make({}, { data_ratio: -1, global_batch_size: 1 }).read().toArray()).toEqual([
      ['a0', 'a1', 'a2', 'p0'],
      ['a3', 'a4', 'a5', 'p1'],
      ['a6', 'a7', 'a8', 'p2'],
    ]);
  });

  it('divides both parts among replicas', async () => {
    const context = { numInputPipelines: 1, inputPipelineId: 0, numReplicasInSync: 2 };
    expect((await make({}, {}).read(context).toArray())[0]).toEqual(['a0', 'p0']);
    expect(() => make({}, { data_ratio: 3 }).read(context)).toThrow(/is 1, which cannot be divided among 2/);
  });

  it('refuses short batches, empty parts and missing files', () => {
    expect(() => make({ drop_remainder: false }, {})).toThrow(/drop_remainder must be true/);
    expect(() => make({}, { data_ratio: -1, global_batch_size: 4 }).read()).toThrow(
      /0 labeled and 4 pseudo-labeled examples: none is labeled/,
    );
    expect(() => make({}, { data_ratio: 0 }).read()).toThrow(/none is pseudo-labeled/);
    expect(() => make({}, { input_path: '' })).toThrow(/pseudo_label_data.input_path names no file/);
    expect(() => make({}, {}).read(null, fromItems(['x']))).toThrow(/takes no data set/);
  });
});

describe('inputReaderGenerator', () => {
  it('combines for training with pseudo-labeled data only', () => {
    expect(inputReaderGenerator(params({ is_training: true }, {}))).toBeInstanceOf(CombinationDatasetInputReader);
    expect(inputReaderGenerator(params({ is_training: false }, {}))).not.toBeInstanceOf(CombinationDatasetInputReader);
    expect(inputReaderGenerator(dataConfig({ input_path: 'a', is_training: true }))).toBeInstanceOf(InputReader);
    expect(() => inputReaderGenerator(params({ is_training: true }, { file_type: 'csv' }))).toThrow(/no reader for the file type "csv"/);
  });
});
