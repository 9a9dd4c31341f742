// Counter-based random numbers in place of tfjs's host generators, so that eager and compiled steps draw the same numbers
// and a checkpoint can hold the generator's whole state: two integers.
//
// Element i of a draw is hash(hash(i ^ k1) + k2) with keys made of (seed, counter, call, op seed). Outside a step every draw
// advances the counter; inside a step `call` counts the draws and the counter advances once, at the step's end.
import * as core from '@tensorflow/tfjs-core';
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu/dist/backend_cpu.js';
import { initScope } from './init-scope.js';

const GOLDEN = 0x9e3779b9;

/** A 32-bit finaliser with low bias (constants: C. Wellons' hash-prospector, lowbias32). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Maps an op's own seed (number, string or nothing) to 32 bits; 0 when there is none. */
function hashSeed(seed: unknown): number {
  if (seed === undefined || seed === null) return 0;
  let h = 0x811c9dc5;
  for (const c of String(seed)) h = Math.imul(h ^ c.charCodeAt(0), 0x01000193);
  return mix(h) || 1;
}

/** erfinv for |x| <= 0.9545 (M. Giles, "Approximating the erfinv function", single precision, central branch). */
const ERFINV: readonly number[] = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
];
/** erf(√2): the mass of a normal distribution within two standard deviations. */
const TRUNCATION = 0.9544997361036416;

/** The state of the process-wide generator and of the step that is running or being traced. */
interface StepRandom {
  /** The kernel that draws: no tensor inputs, attributes {kind, shape, dtype, a, b, seed}. */
  readonly kernelName: string;
  /** All kernels that draw. */
  readonly kernels: ReadonlySet<string>;
  /** int32 variable [seed, counter]; made at first use. */
  variable: core.Variable | null;
  /** Draws made so far by the running step, or -1 outside a step. */
  call: number;
  /** The state variable's own data bucket while a trace has lent it a symbolic one. */
  dataId: object | null;
  /** The 32-bit hash. */
  mix(x: number): number;
  /** 2³² divided by the golden ratio. */
  readonly GOLDEN: number;
  /** Coefficients of the inverse error function, highest power first. */
  readonly ERFINV: readonly number[];
  /** erf(√2). */
  readonly TRUNCATION: number;
  /** Returns the state variable, making it on the cpu backend with seed 0 if need be. */
  state(): core.Variable;
  /** Sets seed and counter. */
  setSeed(seed: number, counter?: number): void;
  /** Maps an op's own seed (number, string or nothing) to 32 bits; 0 when there is none. */
  hashSeed(seed: unknown): number;
}

/** The generator's state, for the compiler and for checkpoints. @internal */
export const stepRandom: StepRandom = {
  kernelName: 'CounterRandom',
  kernels: new Set(['CounterRandom', 'Multinomial']),
  variable: null,
  call: -1,
  dataId: null,
  mix,
  GOLDEN,
  ERFINV,
  TRUNCATION,
  hashSeed,
  state() {
    const { variable } = stepRandom;
    // tf.disposeVariables() takes a variable away without marking it.
    if (variable === null || core.engine().state.registeredVariables[variable.name] !== variable) {
      initScope(() => {
        const initial = core.tensor1d([0, 0], 'int32');
        stepRandom.variable = core.variable(initial, false, uniqueName(core.engine()));
        initial.dispose();
      });
    }
    return stepRandom.variable!;
  },
  setSeed(seed, counter = 0) {
    stateValues().set([seed, counter]);
  },
};

/** [seed, counter], changed in place: a trace may have lent the state variable a symbolic bucket. */
function stateValues(): Int32Array {
  const { dataId } = stepRandom.state();
  const cpu = core.findBackend('cpu') as MathBackendCPU;
  return cpu.data.get((stepRandom.dataId ?? dataId) as object).values as Int32Array;
}

/** The two 32-bit keys of a draw. */
function keys(seed: number, counter: number, call: number, opSeed: number): [number, number] {
  const base = mix((mix((seed + GOLDEN) | 0) ^ counter) | 0);
  const k1 = mix((base + Math.imul(call + 1, GOLDEN)) ^ opSeed);
  return [k1, mix((k1 ^ 0x5bd1e995) | 0)];
}

function bits(i: number, k1: number, k2: number): number {
  return mix((mix((i ^ k1) | 0) + k2) | 0);
}

const unit = (b: number) => (b >>> 8) * 2 ** -24;

const draw = {
  uniform: (i: number, k1: number, k2: number, low: number, high: number) =>
    Math.fround(Math.fround(unit(bits(i, k1, k2)) * Math.fround(high - low)) + low),
  normal: (i: number, k1: number, k2: number, mean: number, stdDev: number) => {
    const r = Math.sqrt(-2 * Math.log(unit(bits(i, k1, k2)) + 2 ** -24));
    return r * Math.cos(2 * Math.PI * unit(bits(i, k2, k1))) * stdDev + mean;
  },
  truncatedNormal: (i: number, k1: number, k2: number, mean: number, stdDev: number) => {
    const x = (2 * unit(bits(i, k1, k2)) - 1 + 2 ** -24) * TRUNCATION;
    const w = -Math.log((1 - x) * (1 + x)) - 2.5;
    const p = ERFINV.reduce((sum, coefficient) => sum * w + coefficient);
    return Math.SQRT2 * p * x * stdDev + mean;
  },
};

interface DrawAttributes {
  kind: keyof typeof draw;
  shape: number[];
  dtype: core.DataType;
  a: number;
  b: number;
  seed?: number | string;
}

/** The keys of the next draw; advances the generator. */
function nextKeys(seed: unknown): [number, number] {
  const opSeed = hashSeed(seed);
  let [base, counter] = stateValues() as unknown as [number, number];
  let call = 0;
  if (stepRandom.call >= 0) call = stepRandom.call++;
  else if (opSeed !== 0) {
    base = 0; // tfjs: the same seed outside a step gives the same numbers
    counter = 0;
  } else stepRandom.setSeed(base, counter + 1);
  return keys(base, counter, call, opSeed);
}

/** Running sums of the probabilities of all events but the last. */
function cumulative(row: Float32Array, normalized: boolean): Float32Array {
  const probabilities = normalized ? row : row.map((x) => x - row.reduce((a, b) => Math.max(a, b), -Infinity)).map(Math.exp);
  const total = normalized ? 1 : probabilities.reduce((a, b) => a + b, 0);
  let sum = 0;
  return probabilities.map((p) => (sum = Math.fround(sum + p / total))).subarray(0, -1);
}

/** Draws events from rows of logits or probabilities, in place of tfjs's kernel: every row draws its own numbers. */
function multinomial(
  cpu: MathBackendCPU,
  logits: core.TensorInfo,
  numSamples: number,
  seed: unknown,
  normalized: boolean,
): core.TensorInfo {
  const [batch, events] = logits.shape as [number, number];
  const values = Float32Array.from(cpu.data.get(logits.dataId).values as Float32Array);
  const [k1, k2] = nextKeys(seed);
  const samples = new Int32Array(batch * numSamples);
  for (let b = 0; b < batch; b++) {
    const sums = cumulative(values.subarray(b * events, (b + 1) * events), normalized);
    for (let i = b * numSamples; i < (b + 1) * numSamples; i++) {
      const u = unit(bits(i, k1, k2));
      const event = sums.findIndex((p) => u < p);
      samples[i] = event < 0 ? events - 1 : event;
    }
  }
  return cpu.makeTensorInfo([batch, numSamples], 'int32', samples);
}

/** Registers the drawing kernels for the cpu backend. */
export function registerRandomKernels(): void {
  core.unregisterKernel('Multinomial', 'cpu'); // tfjs's own draws from a host generator
  core.registerKernel({
    kernelName: 'Multinomial',
    backendName: 'cpu',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { numSamples, seed, normalized } = attrs as unknown as { numSamples: number; seed?: number; normalized: boolean };
      return multinomial(backend as MathBackendCPU, inputs['logits']!, numSamples, seed, normalized);
    },
  });
  core.registerKernel({
    kernelName: stepRandom.kernelName,
    backendName: 'cpu',
    kernelFunc: ({ attrs, backend }) => {
      const { kind, shape, dtype, a, b, seed } = attrs as unknown as DrawAttributes;
      const cpu = backend as MathBackendCPU;
      const [k1, k2] = nextKeys(seed);
      const size = shape.reduce((n, d) => n * d, 1);
      const values = dtype === 'int32' ? new Int32Array(size) : dtype === 'bool' ? new Uint8Array(size) : new Float32Array(size);
      const one = draw[kind];
      for (let i = 0; i < size; i++) values[i] = one(i, k1, k2, a, b);
      return cpu.makeTensorInfo(shape, dtype, values as core.BackendValues);
    },
  });
}

function uniqueName(engine: ReturnType<typeof core.engine>): string {
  let name = 'random_state';
  for (let n = 1; engine.state.registeredVariables[name]; n++) name = `random_state_${n}`;
  return name;
}
