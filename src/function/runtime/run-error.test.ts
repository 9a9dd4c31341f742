import * as tf from '#tf';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { OrbitError, UsageError } from '../../errors.js';
import { compile, nameScope, setNumThreads } from '../index.js';
import { findOnnxRuntime } from './library.js';
import { openLibrary, ort } from './ort.js';
import { runError } from './run-error.js';

const errorOf = (run: () => unknown): Error => {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
};

describe('an error of ONNX Runtime while a step runs', () => {
  it('names operation, operands, part of the model, function and line: an index out of range', () => {
    const table = tf.variable(tf.zeros([4, 2]));
    const step = compile((i: tf.Tensor1D) => nameScope('embedding', () => tf.gather(table, i)), { name: 'lookup' });
    const error = errorOf(() => step.runSync(tf.tensor1d([0, 4, 1], 'int32')));
    expect(error).toBeInstanceOf(OrbitError);
    expect(error.message).toMatch(
      /^GatherV2: the index value 4 is not in \[0, 3\]\n {2}in GatherV2\(x: float32\[4,2\], indices: int32\[3\]\)\n {2}in the compiled function "lookup", in embedding, at .*run-error\.test\.ts:\d+:\d+$/,
    );
    expect((error.cause as Error).message).toMatch(/^ONNX Runtime: /);
    expect([...step.runSync(tf.tensor1d([0, 3], 'int32')).shape]).toEqual([2, 2]); // the function can still be used
  });

  it('comes out the same from a run in the background and leaves variables as they were', async () => {
    const v = tf.variable(tf.tensor1d([1, 2]));
    const step = compile((i: tf.Tensor1D) => {
      v.assign(v.add(tf.gather(v, i).sum()));
    });
    await expect(step(tf.tensor1d([7], 'int32'))).rejects.toThrow(/^GatherV2: the index value 7 is not in/);
    expect([...v.dataSync()]).toEqual([1, 2]);
  });

  it('says that memory was short, and how much', () => {
    const label = 'MatMul/Gemm_3';
    const cause = new OrbitError(
      `ONNX Runtime: Non-zero status code returned while running Gemm node. Name:'${label}' Status Message: /x/bfc_arena.cc:376 void* f(size_t) Failed to allocate memory for requested buffer of size 1600000000`,
    );
    const error = runError(cause, 'f', new Map());
    expect(error.message).toBe(
      `ONNX Runtime's operator Gemm: there is not enough memory for an intermediate value of 1,600 MB. Use a smaller batch or model; step.memory() tells what is held.\n  in the compiled function "f"`,
    );
  });

  it('refuses an allocation that no machine can make, by name', () => {
    const n = 2 ** 23;
    const step = compile((x: tf.Tensor1D) =>
      x
        .reshape([n, 1])
        .add(x.reshape([1, n]))
        .max(),
    ); // more than an address can name
    const error = errorOf(() => step.runSync({ data: new Float32Array(n), shape: [n] }));
    expect(error).toBeInstanceOf(OrbitError);
    expect(error.message).toMatch(/^Add: there is not enough memory[^\n]*\n {2}in Add\(a: float32\[8388608,1\], b: float32\[1,8388608\]\)/);
  });
});

describe('the library of ONNX Runtime', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'orbit-library-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  afterEach(() => vi.unstubAllEnvs());

  it('that is too old is refused with its version and the version needed', () => {
    expect(() => openLibrary(findOnnxRuntime(), 900)).toThrow(/^ONNX Runtime \d+\.\d+\.\d+ \(.*\) is too old: version 1\.900 or later/);
  });

  it('that is no library is refused with the file and the fix', () => {
    const file = path.join(directory, 'not-a-library.so');
    writeFileSync(file, 'text');
    expect(() => openLibrary(file)).toThrow(OrbitError);
    expect(() => openLibrary(file)).toThrow(/not-a-library\.so cannot be loaded: .*ORBIT_ORT_LIBRARY/);
  });

  it('that is another library is refused', () => {
    const { sharedObjects } = process.report.getReport() as { sharedObjects: string[] };
    const file = sharedObjects.find((f) => f !== process.execPath && path.isAbsolute(f) && existsSync(f) && !/onnxruntime|orbit/.test(f))!;
    expect(() => openLibrary(file)).toThrow(/cannot be loaded: .*OrtGetApiBase/);
  });

  it('that is missing is refused with what to install', () => {
    vi.stubEnv('ORBIT_ORT_LIBRARY', path.join(directory, 'nowhere.so'));
    expect(() => findOnnxRuntime()).toThrow(/nowhere\.so, which does not exist/);
    vi.stubEnv('ORBIT_ORT_LIBRARY', '');
    expect(() => findOnnxRuntime([path.join(directory, 'package.json')])).toThrow(
      new RegExp(`npm install @orbit-ts/engine-${process.platform}-${process.arch}`),
    );
  });

  it('runs with one number of threads per process', () => {
    const { numThreads } = ort();
    setNumThreads(numThreads);
    expect(() => setNumThreads(numThreads + 1)).toThrow(/already runs with \d+ threads/);
    setNumThreads(numThreads);
    expect(() => setNumThreads(-1)).toThrow(UsageError);
    expect(() => setNumThreads(1.5)).toThrow(/whole number/);
  });
});
