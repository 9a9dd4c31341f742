import { ConfigError } from '../../errors.js';
import type { Dataset } from '../dataset.js';

/** A name, and perhaps a part: `train`, `train[:90%]`, `train[100:200]`, `train[-10%:]`. */
const PART = /^([\w.-]*)(?:\[(-?\d+%?)?:(-?\d+%?)?\])?$/;

/** The elements that a split expression means: parts of splits that `open` gives by name, joined by `+`. */
export function takeSplit(dataset: string, text: string, open: (name: string) => Dataset<unknown>, path: string): Dataset<unknown> {
  const parts = text.split('+').map((part) => {
    const found = PART.exec(part.trim());
    if (found === null) {
      throw new ConfigError(
        `Data set ${dataset}: ${JSON.stringify(part.trim())} is no split; write a name, a part such as train[:90%] or train[1000:2000], or several joined by +.`,
        { path },
      );
    }
    const [, name = '', from, to] = found;
    const whole = open(name);
    return from === undefined && to === undefined ? whole : slice(dataset, part.trim(), whole, from, to, path);
  });
  return parts.slice(1).reduce((joined, part) => joined.concatenate(part), parts[0]!);
}

function slice(
  dataset: string,
  part: string,
  whole: Dataset<unknown>,
  from: string | undefined,
  to: string | undefined,
  path: string,
): Dataset<unknown> {
  const { length } = whole;
  if (length === undefined || length === Infinity)
    throw new ConfigError(`Data set ${dataset}: a part of a split (${part}) needs data whose number of elements is known.`, { path });
  const begin = from === undefined ? 0 : bound(from, length);
  const end = to === undefined ? length : bound(to, length);
  if (begin >= end) throw new ConfigError(`Data set ${dataset}: ${part} has no elements; the split has ${length}.`, { path });
  return whole.skip(begin).take(end - begin);
}

/** A place in a split: counted from the start, from the end where negative, per cent rounded to the nearest element. */
function bound(text: string, length: number): number {
  const number = parseInt(text, 10);
  const place = text.endsWith('%') ? Math.round((number / 100) * length) : number;
  return Math.min(length, Math.max(0, place < 0 ? length + place : place));
}
