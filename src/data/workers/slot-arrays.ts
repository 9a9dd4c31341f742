import { allocate, arrayOver, valueBytes, type DType, type DTypeArrays } from '../ndarray.js';
import { ALIGNMENT } from './codec.js';

/** Arrays that lie one after the other in a piece of memory, as far as it reaches: a batch is made where it is handed over. */
export class SlotArrays {
  /** Bytes taken so far. */
  used = 0;

  constructor(readonly memory: ArrayBufferLike | undefined) {}

  /** An array in the memory, or elsewhere where too little is left. */
  readonly make = <D extends DType>(dtype: D, length: number): DTypeArrays[D] => {
    const from = Math.ceil(this.used / ALIGNMENT) * ALIGNMENT;
    const bytes = length * valueBytes(dtype);
    if (this.memory === undefined || from + bytes > this.memory.byteLength) return allocate(dtype, length);
    this.used = from + bytes;
    return arrayOver(dtype, this.memory, from, length);
  };
}
