// Functions for the tests of workers.
export const double = (x) => 2 * x;
export const noisy = (x, { rng }) => x + rng.uniform();
export const slowly = async (x) => {
  await new Promise((resolve) => setTimeout(resolve, (x * 7) % 4));
  return x;
};
export const where = (x, { pass, index }) => [x, pass, index];
export const image = (x, { rng }) => ({
  x: Float32Array.from({ length: 6 }, (_, i) => x + i),
  y: { data: Int32Array.of(rng.below(100)), shape: [], dtype: 'int32' },
});
export const same = (x) => x;
export const size = (bytes) => bytes.length;
export const overwrite = (x) => {
  x.fill(7);
  return x;
};
export const ragged = (x) => new Float32Array(x);
export const thrower = (x) => {
  if (x === 21) throw new RangeError('no 21 please');
  return x;
};
export const throwOnRecord = (bytes) => {
  if (bytes[0] === 5) throw new RangeError('five');
  return bytes[0];
};
export const exits = (x) => {
  if (x === 21) process.exit(3);
  return x;
};
export const crashes = (x) => {
  if (x === 21)
    setImmediate(() => {
      throw new Error('later');
    });
  return new Promise((resolve) => setTimeout(resolve, x === 21 ? 1000 : 0, x));
};
export const hoards = (x) => {
  if (x !== 21) return x;
  const kept = [];
  for (;;) kept.push(new Array(1e5).fill({ x }));
};
export const unsendable = (x) => (x === 3 ? { deep: [() => x] } : { deep: [1] });
export const imported = () => globalThis.importedForWorkers ?? 0;
let calls = 0;
export const counts = () => calls++;
export const first = (bytes) => bytes[0];
export const likely = (x, { rng }) => rng.uniform() < 0.6 && x >= 0;
export const several = (x, { rng }) => Array.from({ length: rng.below(4) }, (_, i) => 10 * x + i);
export const spins = (x) => {
  if (x === 21) for (;;);
  return x;
};
export const spinsOnRecord = (bytes) => {
  if (bytes[0] === 5) for (;;);
  return bytes[0];
};
export const never = (x) => (x === 21 ? new Promise(() => undefined) : x);
export const sums = ({ data, shape }) => ({ sum: data.reduce((sum, x) => sum + x, 0), rows: shape[0] });
export const labelled = ({ x, y, name }) => [x.data[0], y.data[0], x.shape.length, y.shape.length, name];
export const even = (x) => x % 2 === 0;
export const thrice = (x) => [x, x, x];
export const wide = (x) => ({ x: { data: new Float32Array(512).fill(x), shape: [512], dtype: 'float32' } });
