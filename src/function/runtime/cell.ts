/**
 * Where a variable lives once a compiled function uses it: two native buffers, of which one is current. A step reads the
 * current ones, writes the spare ones of the variables it assigns, and flips those. tfjs's cpu backend always holds the
 * current buffer as the variable's values, so eager code and compiled code see one truth.
 */
import type * as tf from '#tf';
import { cpuBackend, engine, type CpuBackend, type CpuData, type MutableVariable } from '../trace/engine.js';
import { sharedZeros, sizeOf, type DType, type TypedArray } from '../dtype.js';
import { NativeBuffer } from './buffer.js';

/** Counts every exchange of a cell's buffers; bindings made before the last one may point at buffers no longer used. */
let generation = 0;

/** The number of buffer exchanges so far. */
export function cellGeneration(): number {
  return generation;
}

const cells = new WeakMap<tf.Variable, Cell>();
const byData = new WeakMap<object, Cell>();

/** The cell whose current buffer is the data bucket `dataId`, if there is one. */
export function cellOfData(dataId: object): Cell | undefined {
  const cell = byData.get(dataId);
  return cell?.owns(dataId) ? cell : undefined;
}

/** The cell of a variable, made at the first call. */
export function cellOf(variable: tf.Variable): Cell {
  let cell = cells.get(variable);
  if (cell === undefined) {
    cell = new Cell(variable);
    cells.set(variable, cell);
  }
  return cell;
}

/** A variable's two buffers, and a third one where its value is being saved. */
export class Cell {
  /** Which buffer is current: 0 or 1. */
  parity: 0 | 1 = 0;
  private readonly buffers: [NativeBuffer, NativeBuffer | undefined];
  /** Takes the place of a buffer that is held. */
  private third: NativeBuffer | undefined;
  /** How many holds each buffer has. */
  private readonly holds = new Map<NativeBuffer, number>();
  private readonly size: number;
  private data: CpuData;
  private dataId: object;
  private readonly backend: CpuBackend = cpuBackend();

  constructor(readonly variable: tf.Variable) {
    this.size = sizeOf(variable.shape);
    this.buffers = [this.allocate(), undefined];
    this.dataId = variable.dataId as object;
    this.data = this.adopt();
  }

  /** The buffer that holds the variable's value. */
  get current(): NativeBuffer {
    return this.buffers[this.parity]!;
  }

  /** The buffer that the next step writes. */
  get spare(): NativeBuffer {
    const i = this.parity === 0 ? 1 : 0;
    return (this.buffers[i] ??= this.allocate());
  }

  /** Native bytes held. */
  get byteLength(): number {
    return [...this.buffers, this.third].reduce((n, b) => n + (b?.byteLength ?? 0), 0);
  }

  /** Whether `dataId` is the bucket that shows the current buffer. */
  owns(dataId: object): boolean {
    return this.dataId === dataId && this.data.values === this.current.array;
  }

  /**
   * The current value in its own memory, which no step writes until the returned function is called: the steps go on with a
   * third buffer.
   */
  hold(): { array: TypedArray; release: () => void } {
    const buffer = this.current;
    this.holds.set(buffer, (this.holds.get(buffer) ?? 0) + 1);
    return { array: buffer.array, release: () => this.release(buffer) };
  }

  /** Makes the third buffer beforehand; returns its memory if it is fresh. */
  reserve(): TypedArray | undefined {
    if (this.third !== undefined) return undefined;
    this.third = this.allocate();
    return this.third.array;
  }

  private release(buffer: NativeBuffer): void {
    const left = (this.holds.get(buffer) ?? 1) - 1;
    if (left > 0) return void this.holds.set(buffer, left);
    if (this.holds.delete(buffer) && !this.buffers.includes(buffer)) this.third ??= buffer;
  }

  /** Puts a free buffer in the place of the current one, which somebody else reads. */
  private replaceCurrent(): void {
    this.buffers[this.parity] = this.third ?? this.allocate();
    this.third = undefined;
    generation++;
  }

  /** Clones show the current buffer from now on: it never serves as the third one. */
  private giveAway(): void {
    this.holds.delete(this.current);
    this.replaceCurrent();
  }

  /** Takes over a value that was assigned outside compiled functions since the last call. */
  sync(): void {
    if ((this.variable.dataId as object) !== this.dataId || this.data.values !== this.current.array) this.data = this.adopt();
  }

  /** Makes the spare buffer, which a step has just written, the variable's value. */
  flip(): void {
    // Assigned from outside while the step ran in the background: the later assignment stands.
    if ((this.variable.dataId as object) !== this.dataId) return;
    if (this.data.refCount > 1) {
      // Clones and reshapes share the old value: they keep its buffer, and the variable moves to a bucket of its own.
      this.leaveBucket();
      this.giveAway();
    } else if (this.holds.has(this.current)) this.replaceCurrent();
    this.parity = this.parity === 0 ? 1 : 0;
    this.data.values = this.current.array;
  }

  private allocate(): NativeBuffer {
    const { dtype, shape } = this.variable;
    // Shared memory: what is held can be written to disk by another thread.
    return new NativeBuffer({ dtype: dtype as DType, shape }, sharedZeros(dtype as DType, Math.max(this.size, 1)));
  }

  /** Copies the variable's value into the current buffer and puts that buffer in its place. */
  private adopt(): CpuData {
    const { variable } = this;
    const moved = this.dataId !== undefined && (variable.dataId as object) !== this.dataId;
    if (moved && this.backend.data.has(this.dataId) && this.backend.data.get(this.dataId).values === this.current.array) {
      // A clone, or another variable that was assigned it, still shows the old value: it keeps the buffer.
      this.giveAway();
    } else if (this.holds.has(this.current)) this.replaceCurrent();
    if (engine().state.tensorInfo.get(variable.dataId as object)?.backend !== this.backend) {
      // The value lives on another tfjs backend: fetch it.
      const values = variable.dataSync() as TypedArray;
      this.current.array.set(values);
      this.leaveBucket();
      return this.data;
    }
    const data = this.backend.data.get(variable.dataId as object);
    this.current.array.set(data.values.length === this.current.array.length ? data.values : data.values.subarray(0, this.size));
    if (data.refCount > 1) {
      this.leaveBucket();
      return this.data;
    }
    data.values = this.current.array;
    this.dataId = variable.dataId as object;
    this.data = data;
    this.register();
    return data;
  }

  /** Moves the variable to a data bucket that nothing else refers to, holding the current buffer. */
  private leaveBucket(): void {
    const e = engine();
    const { variable, backend } = this;
    const info = backend.makeTensorInfo(variable.shape, variable.dtype, this.current.array);
    const tensor = e.makeTensorFromTensorInfo(info, backend);
    variable.assign(tensor);
    tensor.dispose();
    this.dataId = (variable as MutableVariable).dataId;
    this.data = backend.data.get(this.dataId);
    this.register();
  }

  private register(): void {
    this.backend.orbitCells.add(this.dataId);
    byData.set(this.dataId, this);
  }
}
