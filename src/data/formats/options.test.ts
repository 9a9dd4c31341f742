import { describe, expect, it } from 'vitest';

import {
  byteTokenizer, charTokenizer, fromArrow, fromCsv, fromDocuments, fromImageFolder, fromImages, fromItems, fromJsonLines, fromNpy, fromNpz, fromParquet, fromSafetensors,
  fromTextLines, fromTfExamples, fromTfSequenceExamples, fromWav, fromWavFolder, inspectData, loadTokenizer, mnist, parseExample, parseSequenceExample, readNpz, readSafetensors,
  TfExampleBuilder, tfRecords, tokenBlocks, writeTfRecords,
} from '../index.js'; // prettier-ignore
import { at } from './checked-in.testing.js';

const specs = { x: { dtype: 'float32', shape: [] } } as const;
const grid = at('grid.npy');

/** Every reader, with options of which its types know nothing, and an option of its own with one letter too few. */
const readers: Readonly<Record<string, readonly [read: (options: never) => unknown, misspelt: string, meant: string]>> = {
  fromCsv: [(o) => fromCsv(at('table.csv'), o), 'colums', 'columns'],
  fromJsonLines: [(o) => fromJsonLines(at('table.jsonl'), o), 'batchsize', 'batchSize'],
  fromParquet: [(o) => fromParquet(at('table.parquet'), o), 'colunms', 'columns'],
  fromArrow: [(o) => fromArrow(at('table.arrow'), o), 'cachebytes', 'cacheBytes'],
  fromNpy: [(o) => fromNpy(grid, o), 'rule', 'rules'],
  fromNpz: [(o) => fromNpz(at('arrays.npz'), ['grid'], o), 'rulez', 'rules'],
  fromSafetensors: [(o) => fromSafetensors(at('arrays.safetensors'), ['grid'], o), 'rule', 'rules'],
  fromImageFolder: [(o) => fromImageFolder(at('images'), o), 'normalise', 'normalize'],
  fromImages: [(o) => fromImages(at('images/*/*'), o), 'chanels', 'channels'],
  fromWav: [(o) => fromWav(at('pcm16.wav'), o), 'frame', 'frames'],
  fromWavFolder: [(o) => fromWavFolder(at('.'), o), 'samplerate', 'sampleRate'],
  fromTextLines: [(o) => fromTextLines(at('table.csv'), o), 'keepempty', 'keepEmpty'],
  fromDocuments: [(o) => fromDocuments(at('table.csv'), o), 'compresion', 'compression'],
  loadTokenizer: [(o) => loadTokenizer(at('tokenizer.json'), o), 'special_tokens', 'specialTokens'],
  tokenBlocks: [(o) => tokenBlocks(fromItems(['a']), byteTokenizer(), o), 'lenght', 'length'],
  fromTfExamples: [(o) => fromTfExamples('x.tfrecord', specs, o), 'indexd', 'indexed'],
  fromTfSequenceExamples: [(o) => fromTfSequenceExamples('x.tfrecord', { context: specs }, o), 'compress', ''],
  tfRecords: [(o) => tfRecords('x.tfrecord', o), 'indexd', 'indexed'],
  writeTfRecords: [(o) => writeTfRecords('x.tfrecord', [], o), 'compresion', 'compression'],
  inspectData: [(o) => inspectData(at('table.csv'), o), 'row', 'rows'],
  mnist: [(o) => mnist(o), 'splits', 'split'],
};
const sayOf = async (read: () => unknown): Promise<string> => {
  try {
    await read();
  } catch (error) {
    expect((error as Error).name).toBe('UsageError');
    return (error as Error).message;
  }
  return 'nothing';
};

describe('options of readers', () => {
  it('that there are not are refused, with the one that was probably meant', async () => {
    for (const [name, [read, misspelt, meant]] of Object.entries(readers)) {
      const says = await sayOf(() => read({ [misspelt]: 1 } as never));
      expect(says).toMatch(
        new RegExp(`^${name} has no option ${misspelt}\\.${meant === '' ? '' : ` Did you mean "${meant}"\\?`} Options: `),
      );
    }
  });

  it('that are none, such as a list, a text or a function, are refused', async () => {
    for (const [name, [read]] of Object.entries(readers)) {
      for (const [given, what] of [[['x'], 'a list of 1'], ['x', 'a string'], [64, 'a number'], [() => 1, 'a function']] as const)
        expect(await sayOf(() => read(given as never))).toMatch(new RegExp(`^${name}: ${what} was given in place of options: \\{ `));
    }
  }); // prettier-ignore

  it('may be null, each or all', async () => {
    const nothing = null as never;
    expect(await fromTextLines(at('table.csv'), nothing).toArray()).not.toHaveLength(0);
    expect(await fromCsv(at('table.csv'), { columns: nothing, delimiter: nothing, missing: nothing }).toArray()).not.toHaveLength(0);
    expect(fromNpy(grid, { rules: nothing }).length).toBe(4);
    expect(fromNpz(at('arrays.npz'), nothing, nothing).length).toBe(4);
  });

  it('are refused where their values cannot be meant', async () => {
    const csv = (options: object) => () => fromCsv(at('table.csv'), options as never);
    expect(csv({ header: 'no' })).toThrow('fromCsv: header is "no", expected true or false.');
    expect(csv({ missing: 'NA' })).toThrow('missing is a string, expected a list of names.');
    expect(csv({ columns: ['id', 'name'] })).toThrow(/columns is a list of 2; types by the names of the columns were expected/);
    expect(csv({ columns: { id: 5 } })).toThrow(/Column id is a number; a type was expected: float32, /);
    expect(csv({ columns: { id: { dtype: 'int32', minimum: 0 } } })).toThrow(/Column id has no option minimum\..* Options: dtype, default, min, max/);
    expect(csv({ columns: { id: 'int64' } })).toThrow(/Column id has the type "int64"; expected float32, float64, int32, bool, string/);
    const normalize = (value: object) => () => fromImages(at('images/*/*'), { normalize: value as never });
    expect(normalize({ mean: [0, 0, 0], sdt: [1, 1, 1] })).toThrow('normalize has no option sdt. Did you mean "std"?');
    expect(normalize({ mean: [0, 0, 0] })).toThrow('normalize: std is undefined; a list of positive numbers was expected.');
    expect(normalize({ mean: [0, 0, 0], std: [1, 0, 1] })).toThrow('std is [1,0,1]; a list of positive numbers');
    expect(() => mnist({ split: 'trian' as 'train' })).toThrow(`mnist: split is "trian"; 'train' or 'test' was expected`);
    await expect(inspectData(grid, { rows: -1 })).rejects.toThrow('inspectData: rows is -1, expected a whole number of at least 0.');
    expect(await sayOf(async () => writeTfRecords('x', [], { compression: 'zstd' as never }))).toMatch(/compression "zstd"; expected none or gzip/);
  }); // prettier-ignore
});

describe('names and rules of arrays', () => {
  it('are refused where options stand in their place', async () => {
    const options = { rules: { grid: { min: 0 } } } as never;
    for (const read of [() => fromNpz(at('arrays.npz'), options), () => fromSafetensors(at('arrays.safetensors'), options), () => readNpz(at('arrays.npz'), options),
      () => readSafetensors(at('arrays.safetensors'), 'grid' as never)]) expect(await sayOf(read)).toMatch(/list of arrays to read is .*, expected a list of names/);
    expect(() => fromNpy(5 as never)).toThrow('fromNpy: a number was given in place of a path');
    expect(() => fromNpy({ x: grid, y: undefined as never })).toThrow('fromNpy: a path is undefined; a text was expected.');
    expect(() => fromNpy({ x: grid }, { rules: 5 as never })).toThrow('rules is 5; rules by name were expected');
    expect(() => fromNpy(grid, { rules: { least: 0 } as never })).toThrow(/grid\.npy has no option least\..* Options: min, max, allowNaN/);
  }); // prettier-ignore
});

describe('specs of features', () => {
  it('are refused where they say what there is not', () => {
    const record = new TfExampleBuilder().addIntsFeature('x', 1).serializedExample;
    const reading = (spec: unknown) => [
      () => parseExample(record, { x: spec } as never),
      () => fromTfExamples(at('table.csv'), { x: spec } as never),
      () => parseSequenceExample(record, { context: { x: spec } } as never),
      () => fromTfSequenceExamples(at('table.csv'), { featureLists: { x: spec } } as never),
    ];
    for (const [spec, says] of [
      [{ dtype: 'int32', shap: [] }, 'Column x has no option shap. Did you mean "shape"?'],
      [{ dtype: 'int64', shape: [] }, 'Feature x has the dtype "int64"; expected float32, int32, string, bytes. int64 features are read as int32.'],
      [{ dtype: 'int32', shape: 1 }, 'Feature x: shape is 1; a list of whole numbers was expected, [] for one value.'],
      ['int32', 'Feature x: the spec is a string; { dtype, shape } was expected.'],
    ] as const) for (const read of reading(spec)) expect(read).toThrow(says);
    expect(() => parseExample(record, null as never)).toThrow('parseExample: specs: null was given; specs by the names of features');
    expect(() => parseSequenceExample(record, { contexts: {} } as never)).toThrow('specs has contexts; { context, featureLists } was expected');
    expect(() => fromTfExamples('x', { x: { dtype: 'float32', allowMissing: true } as never })).toThrow('Column x has no option allowMissing.');
  }); // prettier-ignore
});

describe('tokenizers', () => {
  it('are refused where they are none, or have no such separator', () => {
    const texts = fromItems(['abc']);
    expect(() => tokenBlocks(texts, loadTokenizer(at('tokenizer.json')) as never, { length: 2 })).toThrow(/needs a tokenizer.*await it/);
    expect(() => tokenBlocks(texts, charTokenizer('abc'), { length: 2, separator: 3 })).toThrow('separator is 3, expected one of the tokens 0 to 2');
    expect(() => tokenBlocks('abc' as never, byteTokenizer(), { length: 2 })).toThrow('tokenBlocks needs a data set, but a string was given');
    expect(() => charTokenizer(5 as never)).toThrow(/charTokenizer needs a text/);
  }); // prettier-ignore
});
