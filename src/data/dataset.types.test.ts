/** Types of elements flow through the operators; checked by the compiler, so a wrong expectation fails the type check. */
import { describe, expectTypeOf, it } from 'vitest';

import {
  Dataset,
  fromArrays,
  fromGenerator,
  inWorker,
  InputReader,
  mixDatasets,
  NDArray,
  range,
  tfRecords,
  zipDatasets,
  dataConfig,
} from './index.js';

type Example = { image: NDArray<'float32'>; label: NDArray<'int32'>; name: string };
declare const examples: Dataset<Example>;

describe('Types of elements', () => {
  it('follow operators', () => {
    const check = (): void => {
      expectTypeOf(fromArrays({ image: new Float32Array(4), label: Int32Array.of(1), name: ['a'] })).toEqualTypeOf<Dataset<Example>>();
      expectTypeOf(fromArrays([new Float32Array(4), [true]])).toEqualTypeOf<Dataset<[NDArray<'float32'>, NDArray<'bool'>]>>();
      type Batch = { image: NDArray<'float32'>; label: NDArray<'int32'>; name: string[] };
      expectTypeOf(examples.shuffle().repeat().batch(8)).toEqualTypeOf<Dataset<Batch>>();
      expectTypeOf(examples.batch(8).unbatch()).toEqualTypeOf<Dataset<Example>>();
      expectTypeOf(examples.paddedBatch(8)).toEqualTypeOf<Dataset<Batch>>();
      expectTypeOf(examples.map(({ image, label }) => [image, label] as const)).toEqualTypeOf<
        Dataset<readonly [NDArray<'float32'>, NDArray<'int32'>]>
      >();
      expectTypeOf(examples.map(async ({ name }) => name)).toEqualTypeOf<Dataset<string>>();
      expectTypeOf(examples.window(3)).toEqualTypeOf<Dataset<Example[]>>();
      expectTypeOf(examples.zip(range(0, 3))).toEqualTypeOf<Dataset<[Example, number]>>();
      expectTypeOf(zipDatasets([examples, range(0, 3)] as const)).toExtend<Dataset<readonly [Example, number]>>();
      expectTypeOf(examples.flatMap(({ name }) => name.split(''))).toEqualTypeOf<Dataset<string>>();
      expectTypeOf(range(0, 9).interleave((n) => range(0, n), { cycleLength: 2 })).toEqualTypeOf<Dataset<number>>();
      expectTypeOf(range(0, 9).batch(2)).toEqualTypeOf<Dataset<NDArray<'float32'>>>();
      expectTypeOf(mixDatasets([range(0, 1), range(0, 2)], [1, 2])).toEqualTypeOf<Dataset<number>>();
      const mixed = fromGenerator(function* (): Generator<string | number> {
        yield 1;
      });
      expectTypeOf(mixed.filter((x): x is string => typeof x === 'string')).toEqualTypeOf<Dataset<string>>();
      // @ts-expect-error: the elements have no such field
      examples.map(({ picture }) => picture);
    };
    expectTypeOf(check).toBeFunction();
  });

  it('follow functions in workers and the stages of an InputReader', () => {
    const check = (): void => {
      const parse = inWorker<(bytes: Uint8Array) => Promise<Example>>('file:///augment.js', 'parse');
      expectTypeOf(tfRecords('a').map(parse, { workers: 2 })).toEqualTypeOf<Dataset<Example>>();
      const keep = inWorker<(example: Example) => boolean>('file:///augment.js', 'keep');
      expectTypeOf(examples.filter(keep)).toEqualTypeOf<Dataset<Example>>();
      const crops = inWorker<(example: Example) => NDArray<'float32'>[]>('file:///augment.js', 'crops');
      expectTypeOf(examples.flatMap(crops, { seed: 1 })).toEqualTypeOf<Dataset<NDArray<'float32'>>>();
      expectTypeOf(examples.interleave(crops, { cycleLength: 2, workers: 1 })).toEqualTypeOf<Dataset<NDArray<'float32'>>>();
      const reader = new InputReader({ params: dataConfig({}), decoderFn: parse, filterFn: keep, postprocessFn: ({ label }) => label });
      expectTypeOf(reader.read()).toEqualTypeOf<Dataset<NDArray<'int32'>>>();
      // @ts-expect-error: the function takes bytes
      range(0, 3).map(parse);
    };
    expectTypeOf(check).toBeFunction();
  });
});
