// Functions of the measurements of workers.

/** A small augmentation. */
export function augment(x, { rng }) {
  return { x: Float32Array.from({ length: 64 }, () => x * rng.uniform()), y: x };
}

/** What goes through a worker and back. */
export function unchanged(example) {
  return example;
}
