import { median } from '../lib/stats.mjs';

/** Median of five readings of resident memory in bytes, each after two forced collections. Needs `--expose-gc`. */
export async function residentBytes() {
  const readings = [];
  for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 2; j++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    readings.push(process.memoryUsage.rss());
  }
  return median(readings);
}
