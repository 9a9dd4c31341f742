/** A small augmentation for the memory measurement. */
export function augment(x, { rng }) {
  return { x: Float32Array.from({ length: 64 }, () => x * rng.uniform()), y: x };
}
