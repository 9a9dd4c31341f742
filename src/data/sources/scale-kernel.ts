/**
 * Bytes times a scale as float32, eight at a time, in WebAssembly: a loop in JavaScript takes three times as long.
 *
 * The module below is this function over an imported memory, whose rows of $size bytes begin at $bytes:
 *
 *   (func (export "s") (param $row i32) (param $end i32) (param $bytes i32) (param $size i32) (param $out i32)
 *                      (param $high f32) (param $low f32) (result i32)
 *     (for each index i at $row…$end
 *       (for each 64th byte of row i: $sum := $sum xor byte))
 *     (for each index i at $row…$end
 *       (for each eight bytes of row i, to := $out on                 ;; up to seven bytes beyond the row
 *         (v := v128.load8x8_u)                                       ;; eight 16-bit integers
 *         (for both halves: f := f32x4.convert_i32x4_s (i32x4.extend_i16x8_u v)
 *                           v128.store to (f32x4.add (f32x4.mul f $high) (f32x4.mul f $low))))
 *       $out += 4 $size)
 *     $sum)
 *
 * The first loop reads a byte of every cache line: rows in a random order lie where no processor expects them, and many such
 * reads are under way at a time, while the second loop would wait for one after the other. Its sum only keeps it alive.
 *
 * $high holds the upper 16 bits of the scale's mantissa, so that a byte times it is exact; $low holds the rest. The sum is then
 * the correctly rounded product, the number that dividing in double precision gives.
 */
const MODULE =
  'AGFzbQEAAAABDAFgB39/f39/fX0BfwIIAQFtAW0CAAADAgEABwUBAXMAAArpAQHmAQIFfwR7IAAhBwNAIAIgACgCACADbGoiCCADaiEJA0AgCiAILQAAcy' +
  'EKIAhBwABqIgggCUkNAAsgAEEEaiIAIAFJDQALIAchACAF/RMhDiAG/RMhDwNAIAIgACgCACADbGoiCCADaiEJIAQhCwNAIAj9AgMAIQwgDP2pAf36ASEN' +
  'IAsgDSAO/eYBIA0gD/3mAf3kAf0LBAAgDP2qAf36ASENIAsgDSAO/eYBIA0gD/3mAf3kAf0LBBAgC0EgaiELIAhBCGoiCCAJSQ0ACyAEIANBBGxqIQQgAE' +
  'EEaiIAIAFJDQALIAoL';

/** Room for floats before they are copied out: what a first-level cache holds. */
const SCRATCH_BYTES = 2 ** 15;
/** Bytes of the rows of one call: what stays in a second-level cache from the first loop to the second. */
const CALL_BYTES = 2 ** 17;
/** Rows of one call at most; the memory begins with their indices. */
const CALL_ROWS = 1024;
/** Address space for results that are made where they are used; what nobody writes takes no memory. */
const RESULT_BYTES = 2 ** 24;
const PAGE_BYTES = 2 ** 16;
/** Bytes that the kernel may read or write beyond the last row. */
const PAD_BYTES = 64;
/** Larger sources stay outside: a WebAssembly memory ends at 4 GiB. */
const LARGEST_BYTES = 2 ** 31;

// TypeScript has these types in its DOM library alone.
interface Memory {
  readonly buffer: ArrayBuffer;
}
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => Memory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { m: { m: Memory } }) => { exports: Record<string, unknown> };
};

type Kernel = (row: number, end: number, bytes: number, size: number, out: number, high: number, low: number) => number;

/** Bytes in a WebAssembly memory, whose rows come out scaled. */
export class ScaleKernel {
  /** Where the bytes go. */
  readonly bytes: Uint8Array;
  readonly #kernel: Kernel;
  readonly #indices: Uint32Array;
  readonly #scratch: Float32Array;
  readonly #rowSize: number;
  readonly #high: number;
  readonly #low: number;
  /** Where the next result begins. */
  #next: number;

  private constructor(memory: Memory, kernel: Kernel, scratch: number, length: number, rowSize: number, parts: [number, number]) {
    this.#indices = new Uint32Array(memory.buffer, 0, CALL_ROWS);
    this.#scratch = new Float32Array(memory.buffer, this.#indices.byteLength, scratch / 4);
    const first = this.#scratch.byteOffset + scratch + PAD_BYTES;
    this.bytes = new Uint8Array(memory.buffer, first, length);
    this.#next = aligned(first + length);
    this.#kernel = kernel;
    this.#rowSize = rowSize;
    [this.#high, this.#low] = parts;
  }

  /** Memory for `length` bytes in rows of `rowSize`; undefined where this machine, the size or the scale does not allow it. */
  static create(length: number, rowSize: number, scale: number): ScaleKernel | undefined {
    const parts = split(scale);
    if (parts === undefined || length > LARGEST_BYTES) return undefined;
    const scratch = Math.ceil(Math.max(SCRATCH_BYTES, rowSize * 4) / 32) * 32;
    try {
      const size = aligned(CALL_ROWS * 4 + scratch + length + PAD_BYTES) + RESULT_BYTES;
      const memory = new WebAssembly.Memory({ initial: Math.ceil(size / PAGE_BYTES) });
      const instance = new WebAssembly.Instance(compiled(), { m: { m: memory } });
      return new ScaleKernel(memory, instance.exports['s'] as Kernel, scratch, length, rowSize, parts);
    } catch {
      return undefined; // no vector instructions, or no address space: the caller has a slower way
    }
  }

  /** Memory for `length` results that {@link gather} writes without a copy; undefined when too little is left. */
  allocate(length: number): Float32Array | undefined {
    if (!this.hasRoom(length)) return undefined;
    const results = new Float32Array(this.bytes.buffer, this.#next, length);
    this.#next = aligned(this.#next + length * 4 + PAD_BYTES);
    return results;
  }

  /** Whether {@link allocate} can give memory for `length` results. */
  hasRoom(length: number): boolean {
    return aligned(this.#next + length * 4 + PAD_BYTES) <= this.bytes.buffer.byteLength;
  }

  /** Whether {@link gather} writes to this array without a copy. */
  writesTo(array: ArrayBufferView): boolean {
    return array.buffer === this.bytes.buffer;
  }

  /** Writes `count` scaled rows to `out`. */
  gather(indices: Uint32Array, count: number, out: Float32Array): void {
    const size = this.#rowSize;
    const inPlace = this.writesTo(out);
    const most = inPlace ? CALL_BYTES / size : this.#scratch.length / size;
    const rowsPerCall = Math.min(CALL_ROWS, Math.max(1, Math.floor(most)));
    for (let done = 0; done < count; done += rowsPerCall) {
      const rows = Math.min(rowsPerCall, count - done);
      this.#indices.set(indices.subarray(done, done + rows));
      // A row that is no multiple of eight spills into the next one's place, which is written after it.
      const target = inPlace ? out.byteOffset + done * size * 4 : this.#scratch.byteOffset;
      this.#kernel(0, rows * 4, this.bytes.byteOffset, size, target, this.#high, this.#low);
      if (!inPlace) out.set(this.#scratch.subarray(0, rows * size), done * size);
    }
  }
}

function aligned(address: number): number {
  return Math.ceil(address / PAD_BYTES) * PAD_BYTES;
}

/** The scale as a sum of two float32, the first with 16 bits of mantissa; undefined where that is not exact for every byte. */
function split(scale: number): [number, number] | undefined {
  const high = Float32Array.of(scale);
  new Uint32Array(high.buffer)[0]! &= 0xffffff00;
  const [upper = 0] = high;
  const lower = Math.fround(scale - upper);
  for (let byte = 0; byte < 256; byte++) {
    if (Math.fround(byte * upper + Math.fround(byte * lower)) !== Math.fround(byte * scale)) return undefined;
  }
  return [upper, lower];
}

let wasm: object | undefined;

function compiled(): object {
  return (wasm ??= new WebAssembly.Module(Buffer.from(MODULE, 'base64')));
}
