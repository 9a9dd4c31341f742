import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { field } from '../../config/index.js';
import { dataConfig, extendDataConfig, fromCsv, InputReader, pickDatasetFn, type DataConfig } from '../index.js';

const fixtures = resolve(import.meta.dirname, '../../../tests/fixtures/data');
const at = (name: string): string => join(fixtures, name);
const typed = extendDataConfig({ file_type: field.string('tfrecord') }, { name: 'TypedData' });
const reading = (name: string, more: object = {}): DataConfig => dataConfig({ input_path: at(name), global_batch_size: 2, ...more });

describe('An InputReader of files that are no record files', () => {
  it('names the reader and datasetFn in its error', async () => {
    const first = async (name: string) => new InputReader({ params: reading(name) }).read().take(1).toArray();
    await expect(first('table.csv')).rejects.toThrow(
      /table\.csv: the record at byte 0 has a damaged length\..* looks like text: read it with fromCsv, .* In an InputReader: datasetFn: \(paths\) => fromCsv\(paths\)\.$/,
    );
    await expect(first('table-none.parquet')).rejects.toThrow(/a Parquet file: .* datasetFn: \(paths\) => fromParquet\(paths\)\.$/);
    await expect(first('examples.tfrecord.gz')).rejects.toThrow(
      /It is compressed with gzip: give tfRecords compression: 'gzip' \(in an InputReader: datasetFn: pickDatasetFn\('tfrecord_compressed'\)\)\.$/,
    );
    expect(await new InputReader({ params: reading('table.csv'), datasetFn: (paths) => fromCsv(paths) }).read().take(1).toArray()).toHaveLength(1); // prettier-ignore
  });

  it('refuses a file_type of the config that nothing reads', () => {
    const of = (fileType: string) => typed({ input_path: at('examples.tfrecord.gz'), global_batch_size: 2, file_type: fileType });
    expect(() => new InputReader({ params: of('csv') })).toThrow(/file_type is "csv", .* give datasetFn: \(paths\) => fromCsv\(paths\)/);
    expect(() => new InputReader({ params: of('tfrecord_compressed') })).toThrow(/give datasetFn: pickDatasetFn\(params\.file_type\)\./);
    expect(() => new InputReader({ params: of('tfrecord') })).not.toThrow();
    expect(() => new InputReader({ params: of('csv'), datasetFn: (paths) => fromCsv(paths) })).not.toThrow();
    expect(() => pickDatasetFn('csv')).toThrow(/file type "csv"; expected tfrecord or tfrecord_compressed\. .*fromCsv/);
  });

  it('refuses misspelt fields of a config that is a plain object, not those that a copy has besides', () => {
    const plain = { input_path: at('table.csv'), global_batch_size: 2 };
    const misspelt = { ...plain, shuffel_buffer_size: 9 } as unknown as DataConfig;
    expect(() => new InputReader({ params: misspelt })).toThrow(
      'shuffel_buffer_size: no such field in DataConfig. Did you mean "shuffle_buffer_size"?',
    );
    const copy = { ...reading('table.csv'), seeds: [1, 2], weight: 3 } as DataConfig;
    expect(() => new InputReader({ params: copy })).not.toThrow();
  });
});
