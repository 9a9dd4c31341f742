import * as tf from '#tf';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { compile, setRandomSeed } from './index.js';

/** A function, its arguments, and the variables that it reads. */
interface Case {
  readonly fn: (...args: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  readonly args: tf.Tensor[];
}

const numbers = (shape: number[], seed = 1): tf.Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898 + seed)),
    shape,
  );
};

function trainStep(layers: tf.layers.Layer[], x: tf.Tensor, y: tf.Tensor): Case {
  const model = tf.sequential({ layers });
  for (const w of model.weights) w.write(numbers(w.shape as number[], w.shape.length).mul(0.3));
  const optimizer = tf.train.adam(0.01);
  const fn = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
    optimizer.minimize(() => tf.losses.meanSquaredError(b, model.apply(a, { training: true }) as tf.Tensor), true) as tf.Tensor;
  return { fn: fn as Case['fn'], args: [x, y] };
}

const { dense, conv2d, maxPooling2d, flatten, lstm, batchNormalization } = tf.layers;

/** Made when they are asked for: each names variables after itself. */
const cases: Record<string, () => Case> = {
  'training step of an MLP': () =>
    trainStep(
      [dense({ units: 6, inputShape: [4], activation: 'relu', name: 'export_a' }), dense({ units: 2, name: 'export_b' })],
      numbers([5, 4]),
      numbers([5, 2]),
    ),
  'training step of a CNN': () =>
    trainStep(
      [
        conv2d({ filters: 3, kernelSize: 3, inputShape: [8, 8, 2], padding: 'same', activation: 'relu' }),
        batchNormalization(),
        maxPooling2d({ poolSize: 2 }),
        conv2d({ filters: 4, kernelSize: 3, strides: 2 }),
        flatten(),
        dense({ units: 2 }),
      ],
      numbers([2, 8, 8, 2]),
      numbers([2, 2]),
    ),
  'training step of an LSTM': () =>
    trainStep([lstm({ units: 3, inputShape: [6, 2] }), dense({ units: 2 })], numbers([2, 6, 2]), numbers([2, 2])),
  'integers and booleans': () => ({
    fn: (i, b) => [
      tf.floorDiv(i!, tf.scalar(3, 'int32')),
      tf.logicalXor(b!, tf.greater(i!, 4)),
      tf.gather(tf.tensor1d([5, 6, 7], 'int32'), tf.mod(i!, tf.scalar(3, 'int32'))),
      tf.cast(b!, 'int32').sum(),
      tf.argMax(i!, 0),
      tf.any(b!, 0),
      tf.oneHot(tf.tensor1d([0, 2], 'int32'), 3),
      tf.where(b!, i!, tf.neg(i!)),
    ],
    args: [tf.tensor1d([7, 2, 9, 4], 'int32'), tf.tensor1d([1, 0, 1, 1], 'bool')],
  }),
  'random numbers': () => {
    setRandomSeed(3);
    return { fn: () => [tf.randomUniform([5]), tf.randomNormal([5]), tf.dropout(tf.ones([20]), 0.5)], args: [] };
  },
  attention: () => ({
    fn: (x) => {
      const [q, k, v] = tf.split(x!, 3, -1) as [tf.Tensor, tf.Tensor, tf.Tensor];
      return tf.matMul(tf.softmax(tf.matMul(q, k, false, true)), v);
    },
    args: [numbers([2, 5, 12])],
  }),
  'nothing but a constant and an unused argument': () => ({ fn: () => tf.ones([2, 2]), args: [tf.zeros([3])] }),
};

const directory = mkdtempSync(path.join(tmpdir(), 'orbit-export-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A tensor as onnxruntime-node takes it. */
function feed(t: tf.Tensor): ort.Tensor {
  const type = t.dtype as 'float32' | 'int32' | 'bool';
  return new ort.Tensor(type, t.dataSync().slice() as Float32Array, t.shape);
}

// onnxruntime-node makes ONNX Runtime's environment first here: compiled steps must run beside it all the same.
describe('toOnnx', () => {
  it.each(Object.keys(cases))('gives a model that onnxruntime-node runs to the same numbers: %s', async (name) => {
    const { fn, args } = cases[name]!();
    const step = compile(fn, { name: 'exported' });
    const model = step.toOnnx(...args);
    // The variables' values now; running the step changes them.
    const variables = Object.values(tf.engine().registeredVariables);
    const before = new Map(variables.map((v) => [v.name, feed(v)]));
    const session = await ort.InferenceSession.create(model);
    const feeds = Object.fromEntries(
      session.inputNames.map((input) => {
        const at = /^input_(\d+)$/.exec(input);
        return [input, at === null ? before.get(input)! : feed(args[Number(at[1])]!)];
      }),
    );
    const got = await session.run(feeds);
    const result = step.runSync(...args);
    const expected = new Map((Array.isArray(result) ? result : [result]).map((t, i) => [`output_${i}`, t]));
    for (const output of session.outputNames.filter((n) => n.endsWith(':next'))) {
      expected.set(output, tf.engine().registeredVariables[output.replace(/:next$/, '')]!);
    }
    expect([...expected.keys()].sort()).toEqual([...session.outputNames].sort());
    for (const [output, tensor] of expected) {
      expect(got[output]!.dims, output).toEqual(tensor.shape);
      tf.test_util.expectArraysClose(got[output]!.data as Float32Array, tensor.dataSync(), 1e-5);
    }
    step.dispose();
  });

  it('names variables by their names', () => {
    const v = tf.variable(tf.ones([2]), true, 'export_weight');
    const step = compile((x: tf.Tensor1D) => v.assign(v.add(x) as tf.Tensor1D));
    const text = Buffer.from(step.toOnnx(tf.ones([2]))).toString('latin1');
    expect(text).toContain('export_weight:next');
  });
});

describe('toOnnxWith', () => {
  const variable = tf.variable(tf.tensor1d([2, 3]), true, 'export_scale');
  const outside = tf.tensor1d([10, 20]);
  const scaled = compile((_unused: tf.Tensor1D, x: tf.Tensor1D) => [x.mul(variable).add(outside), x.neg()], { name: 'scaled' });
  const args = [tf.zeros([3]), tf.tensor1d([1, 2])] as [tf.Tensor1D, tf.Tensor1D];

  it('makes variables and tensors from outside constants of the model, and names inputs and results', async () => {
    const inputNames = ['mask', 'output_0']; // the second is the name of a value inside
    const outputNames = ['input_1', 'negative'];
    const variableNames = new Map([[variable as tf.Variable, 'scale/kernel']]);
    const model = scaled.toOnnxWith({ variables: 'initializers', inputNames, outputNames, variableNames }, ...args);
    expect(Buffer.from(model).toString('latin1')).toContain('scale/kernel');
    const session = await ort.InferenceSession.create(model);
    expect([session.inputNames, session.outputNames]).toEqual([inputNames, outputNames]);
    const got = await session.run({ mask: feed(args[0]), output_0: feed(args[1]) });
    expect([...(got['input_1']!.data as Float32Array)]).toEqual([12, 26]);
    expect([...(got['negative']!.data as Float32Array)]).toEqual([-1, -2]);
  });

  it('refuses to make a constant of a variable that the function assigns, and names that do not fit', () => {
    const counting = compile((x: tf.Tensor1D) => variable.assign(variable.add(x) as tf.Tensor1D), { name: 'counting' });
    expect(() => counting.toOnnxWith({ variables: 'initializers' }, tf.ones([2]))).toThrow(/"counting" assigns the variable export_scale/);
    expect(() => scaled.toOnnxWith({ inputNames: ['a'] }, ...args)).toThrow(/1 input names for 2 inputs/);
    expect(() => scaled.toOnnxWith({ inputNames: ['a', 'a'] }, ...args)).toThrow(/the input name "a" is given twice/);
    expect(() => scaled.toOnnxWith({ inputNames: ['a', 'b'], outputNames: ['b', 'c'] }, ...args)).toThrow(/both named "b"/);
    expect(() => scaled.toOnnxWith({ variables: 'constants' as never }, ...args)).toThrow(/it can be "inputs" or "initializers"/);
  });
});

/** The first Python that has the package onnx: `ORBIT_PYTHON`, else python3. */
const python = [process.env['ORBIT_PYTHON'], 'python3'].find(
  (command) => command && spawnSync(command, ['-c', 'import onnx'], { stdio: 'ignore' }).status === 0,
);

/** Checks models, with their shapes inferred and compared with those declared, and prints one line for each bad one. */
const checker = `
import sys, onnx
for name in sys.argv[1:]:
    try:
        onnx.checker.check_model(name, full_check=True)
        inferred = onnx.shape_inference.infer_shapes(onnx.load(name), check_type=True, strict_mode=True, data_prop=True)
        onnx.checker.check_model(inferred, full_check=True)
    except Exception as error:
        print(name, error)
`;

it.skipIf(python === undefined)(
  `toOnnx gives models that the onnx checker accepts${python === undefined ? ' (skipped: no Python with the package onnx; set ORBIT_PYTHON)' : ''}`,
  () => {
    const files = Object.entries(cases).map(([name, make], i) => {
      const { fn, args } = make();
      const file = path.join(directory, `${i}-${name.replaceAll(' ', '-')}.onnx`);
      writeFileSync(file, compile(fn, { name: 'exported' }).toOnnx(...args));
      return file;
    });
    const { stdout, stderr, status } = spawnSync(python!, ['-c', checker, ...files], { encoding: 'utf8' });
    expect({ stdout, status }, stderr).toEqual({ stdout: '', status: 0 });
  },
);
