/**
 * Bytes times a scale as float32, eight at a time, in WebAssembly: a loop in JavaScript takes three times as long.
 *
 * The module below is this function over an imported memory:
 *
 *   (func (export "s") (param $src i32) (param $dst i32) (param $end i32) (param $hi f32) (param $lo f32)
 *     (loop                                                  ;; bytes at $src, floats at $dst, while $src < $end
 *       (v := v128.load8x8_u $src)                           ;; eight bytes as eight 16-bit integers
 *       (for both halves: f := f32x4.convert_i32x4_u (i32x4.extend_i16x8_u v)
 *                         v128.store $dst (f32x4.add (f32x4.mul f $hi) (f32x4.mul f $lo)))
 *       $src += 8, $dst += 32))
 *
 * $hi holds the upper 16 bits of the scale's mantissa, so that a byte times it is exact; $lo holds the rest. The sum is then
 * the correctly rounded product, the number that dividing in double precision gives.
 */
const MODULE =
  'AGFzbQEAAAABCQFgBX9/f319AAIIAQFtAW0CAAEDAgEABwUBAXMAAApuAWwBBHsgA/0TIQUgBP0TIQYDQCAA/QIDACEHIAEgB/2pAf37ASIIIA' +
  'X95gEgCCAG/eYB/eQB/QsEACABIAf9qgH9+wEiCCAF/eYBIAggBv3mAf3kAf0LBBAgAUEgaiEBIABBCGoiACACSQ0ACws=';

/** Room for floats before they are copied out: what a first-level cache holds. */
const SCRATCH_BYTES = 2 ** 15;
/** Address space for results that are made where they are used; what nobody writes takes no memory. */
const RESULT_BYTES = 2 ** 24;
const PAGE_BYTES = 2 ** 16;
/** Bytes that the kernel may read or write beyond the last row. */
const PAD_BYTES = 64;
const LINE_BYTES = 64;
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

type Kernel = (source: number, target: number, end: number, high: number, low: number) => void;

/** Bytes in a WebAssembly memory, whose rows come out scaled. */
export class ScaleKernel {
  /** Where the bytes go. */
  readonly bytes: Uint8Array;
  readonly #kernel: Kernel;
  readonly #scratch: Float32Array;
  readonly #rowSize: number;
  readonly #rowsPerChunk: number;
  readonly #high: number;
  readonly #low: number;
  /** Where the next result begins. */
  #next: number;

  private constructor(memory: Memory, kernel: Kernel, scratch: number, length: number, rowSize: number, parts: [number, number]) {
    const first = scratch + PAD_BYTES;
    this.bytes = new Uint8Array(memory.buffer, first, length);
    this.#next = aligned(first + length);
    this.#scratch = new Float32Array(memory.buffer, 0, scratch / 4);
    this.#kernel = kernel;
    this.#rowSize = rowSize;
    this.#rowsPerChunk = Math.max(1, Math.floor(scratch / 4 / rowSize));
    [this.#high, this.#low] = parts;
  }

  /** Memory for `length` bytes in rows of `rowSize`; undefined where this machine, the size or the scale does not allow it. */
  static create(length: number, rowSize: number, scale: number): ScaleKernel | undefined {
    const parts = split(scale);
    if (parts === undefined || length > LARGEST_BYTES) return undefined;
    const scratch = Math.ceil(Math.max(SCRATCH_BYTES, rowSize * 4) / 32) * 32;
    try {
      const size = aligned(scratch + length + PAD_BYTES) + RESULT_BYTES;
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

  /**
   * Reads a byte of every cache line of the rows: rows in a random order lie where no processor expects them, and many such
   * reads are under way at a time, while the kernel would wait for one after the other.
   */
  #touch(indices: Uint32Array, count: number): void {
    const { bytes } = this;
    const size = this.#rowSize;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const first = indices[i]! * size;
      for (let at = first; at < first + size; at += LINE_BYTES) sum ^= bytes[at]!;
    }
    this.#scratch[0] = sum; // is written over later: it only keeps a compiler from leaving the reads out
  }

  /** Writes `count` scaled rows to `out`. */
  gather(indices: Uint32Array, count: number, out: Float32Array): void {
    const size = this.#rowSize;
    const first = this.bytes.byteOffset;
    this.#touch(indices, count);
    if (this.writesTo(out)) {
      for (let i = 0, target = out.byteOffset; i < count; i++, target += size * 4) {
        const source = first + indices[i]! * size;
        this.#kernel(source, target, source + size, this.#high, this.#low);
      }
      return;
    }
    for (let done = 0; done < count; done += this.#rowsPerChunk) {
      const rows = Math.min(this.#rowsPerChunk, count - done);
      for (let i = 0; i < rows; i++) {
        const source = first + indices[done + i]! * size;
        // A row that is no multiple of eight spills into the next one's place, which is written after it.
        this.#kernel(source, i * size * 4, source + size, this.#high, this.#low);
      }
      out.set(this.#scratch.subarray(0, rows * size), done * size);
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
