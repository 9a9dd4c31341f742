// Counter-based random numbers in place of tfjs's host generators, so that eager and compiled steps draw the same numbers
// and a checkpoint can hold the generator's whole state: two integers.
//
// Element i of a draw is hash(hash(i ^ k1) + k2) with keys made of (seed, counter, call, op seed). Outside a step every draw
// advances the counter; inside a step `call` counts the draws and the counter advances once, at the step's end.

const GOLDEN = 0x9e3779b9;

/** A 32-bit finaliser with low bias (constants: C. Wellons' hash-prospector, lowbias32). */
function mix(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The state of the process-wide generator and of the step that is running or being traced. */
export const stepRandom = {
  /** The kernel that draws: no tensor inputs, attributes {kind, shape, dtype, a, b, seed}. */
  kernelName: 'CounterRandom',
  /** int32 variable [seed, counter]; made at first use. */
  variable: null,
  /** Draws made so far by the running step, or -1 outside a step. */
  call: -1,
  mix,
  GOLDEN,
  /** Returns the state variable, making it on the cpu backend with seed 0 if need be. */
  state: null,
  setSeed: null,
};

/** Maps an op's own seed (number, string or nothing) to 32 bits; 0 when there is none. */
export function hashSeed(seed) {
  if (seed === undefined || seed === null) return 0;
  let h = 0x811c9dc5;
  for (const c of String(seed)) h = Math.imul(h ^ c.charCodeAt(0), 0x01000193);
  return mix(h) || 1;
}
stepRandom.hashSeed = hashSeed;

/** The two 32-bit keys of a draw. */
function keys(seed, counter, call, opSeed) {
  const base = mix((mix((seed + GOLDEN) | 0) ^ counter) | 0);
  const k1 = mix((base + Math.imul(call + 1, GOLDEN)) ^ opSeed);
  return [k1, mix((k1 ^ 0x5bd1e995) | 0)];
}

function bits(i, k1, k2) {
  return mix((mix((i ^ k1) | 0) + k2) | 0);
}

const unit = (b) => (b >>> 8) * 2 ** -24;

// erfinv for |x| <= 0.9545 (M. Giles, "Approximating the erfinv function", single precision, central branch).
const ERFINV = [2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727, 1.50140941];
stepRandom.ERFINV = ERFINV;
/** erf(√2): the mass of a normal distribution within two standard deviations. */
const TRUNCATION = 0.9544997361036416;
stepRandom.TRUNCATION = TRUNCATION;

const draw = {
  uniform: (i, k1, k2, a, b) => Math.fround(Math.fround(unit(bits(i, k1, k2)) * Math.fround(b - a)) + a),
  normal: (i, k1, k2, mean, stdDev) => {
    const r = Math.sqrt(-2 * Math.log(unit(bits(i, k1, k2)) + 2 ** -24));
    return r * Math.cos(2 * Math.PI * unit(bits(i, k2, k1))) * stdDev + mean;
  },
  truncatedNormal: (i, k1, k2, mean, stdDev) => {
    const x = (2 * unit(bits(i, k1, k2)) - 1 + 2 ** -24) * TRUNCATION;
    const w = -Math.log((1 - x) * (1 + x)) - 2.5;
    let p = ERFINV[0];
    for (let k = 1; k < ERFINV.length; k++) p = p * w + ERFINV[k];
    return Math.SQRT2 * p * x * stdDev + mean;
  },
};

/** Registers the drawing kernel for the cpu backend. */
export function registerRandomKernel(core) {
  stepRandom.state = () => {
    if (stepRandom.variable === null || stepRandom.variable.isDisposed) {
      const engine = core.engine();
      const { backendName, backendInstance } = engine;
      engine.backendName = 'cpu'; // also when a step is being traced
      engine.backendInstance = core.findBackend('cpu');
      try {
        stepRandom.variable = core.variable(core.tensor1d([0, 0], 'int32'), false, uniqueName(engine));
      } finally {
        Object.assign(engine, { backendName, backendInstance });
      }
    }
    return stepRandom.variable;
  };
  stepRandom.setSeed = (seed, counter = 0) => {
    const t = core.tensor1d([seed, counter], 'int32');
    stepRandom.state().assign(t);
    t.dispose();
  };
  core.registerKernel({
    kernelName: stepRandom.kernelName,
    backendName: 'cpu',
    kernelFunc: ({ attrs, backend }) => {
      const { kind, shape, dtype, a, b, seed } = attrs;
      const opSeed = hashSeed(seed);
      const state = stepRandom.state();
      let [base, counter] = backend.data.get(state.dataId).values;
      let call = 0;
      if (stepRandom.call >= 0) call = stepRandom.call++;
      else if (opSeed !== 0) counter = 0; // tfjs: the same seed outside a step gives the same numbers
      else stepRandom.setSeed(base, counter + 1);
      if (stepRandom.call < 0 && opSeed !== 0) base = 0;
      const [k1, k2] = keys(base, counter, call, opSeed);
      const size = shape.reduce((n, d) => n * d, 1);
      const values = dtype === 'int32' ? new Int32Array(size) : dtype === 'bool' ? new Uint8Array(size) : new Float32Array(size);
      const one = draw[kind];
      for (let i = 0; i < size; i++) values[i] = one(i, k1, k2, a, b);
      return backend.makeTensorInfo(shape, dtype, values);
    },
  });
}

function uniqueName(engine) {
  let name = 'random_state';
  for (let n = 1; engine.registeredVariables?.[name] ?? engine.state.registeredVariables[name]; n++) name = `random_state_${n}`;
  return name;
}
