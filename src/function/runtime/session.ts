/** An ONNX Runtime session over one graph, and the bindings it runs with. */
import { OrbitError, TraceError } from '../../errors.js';
import { encodeModel, type OnnxGraph } from '../graph/onnx.js';
import type { NativeBuffer } from './buffer.js';
import { ort, type Handle } from './ort.js';
import { runError } from './run-error.js';

/** Options of a session. */
export interface SessionOptions {
  /** ONNX Runtime's own graph optimisation: 0 none, 1 basic, 2 extended (default), 99 all. */
  readonly optimizationLevel?: 0 | 1 | 2 | 99;
  /** File prefix for ONNX Runtime's profiler; profiling is off without it. */
  readonly profilePrefix?: string;
}

/** A compiled graph, ready to run. Owns native memory until `close()`. */
export class Session {
  private readonly handle: Handle;
  private readonly bindings = new Set<Binding>();
  private readonly name: string;
  /** By node name: what it means when that node fails. */
  private readonly failures: ReadonlyMap<string, string>;
  private closed = false;

  /** @throws TraceError when ONNX Runtime refuses the graph. */
  constructor(graph: OnnxGraph, options: SessionOptions = {}) {
    const { api, check, env, make } = ort();
    const model = encodeModel(graph);
    this.name = graph.name;
    this.failures = new Map(graph.nodes.flatMap((n) => (n.failure === undefined ? [] : [[n.label, n.failure]])));
    const settings = make((out) => api.createSessionOptions(out));
    try {
      check(api.setGraphOptimizationLevel(settings, options.optimizationLevel ?? 2));
      check(api.disablePerSessionThreads(settings));
      check(api.disableMemPattern(settings)); // saves memory at no cost in time
      if (options.profilePrefix !== undefined) check(api.enableProfiling(settings, options.profilePrefix));
      this.handle = make((out) => api.createSessionFromArray(env, model, model.length, settings, out));
    } catch (cause) {
      throw new TraceError(`ONNX Runtime refuses the compiled graph of "${graph.name}": ${(cause as Error).message}`, { cause });
    } finally {
      api.releaseSessionOptions(settings);
    }
  }

  /** Makes a binding: a fixed choice of buffers for the graph's inputs and outputs. */
  bind(inputs: Iterable<[string, NativeBuffer]>, outputs: Iterable<[string, NativeBuffer]>): Binding {
    const { api, check, make } = ort();
    const handle = make((out) => api.createIoBinding(this.handle, out));
    const held: NativeBuffer[] = [];
    for (const [name, buffer] of inputs) {
      check(api.bindInput(handle, name, buffer.handle));
      held.push(buffer);
    }
    for (const [name, buffer] of outputs) {
      check(api.bindOutput(handle, name, buffer.handle));
      held.push(buffer);
    }
    const binding = { handle, held };
    this.bindings.add(binding);
    return binding;
  }

  /** Points an input of a binding at another buffer. */
  rebind(binding: Binding, name: string, buffer: NativeBuffer): void {
    const { api, check } = ort();
    check(api.bindInput(binding.handle, name, buffer.handle));
  }

  /** Gives a binding back. */
  release(binding: Binding): void {
    if (this.bindings.delete(binding)) ort().api.releaseIoBinding(binding.handle);
  }

  /**
   * Runs the graph on the calling thread.
   *
   * @throws OrbitError that names the function and the kernel at fault.
   */
  run(binding: Binding): void {
    const { api } = ort();
    const status = api.runWithBinding(this.handle, null, binding.handle);
    if (status !== null) this.check(status);
  }

  /** Runs the graph on a background thread. */
  runAsync(binding: Binding): Promise<void> {
    const { runAsync } = ort();
    return new Promise((resolve, reject) => {
      runAsync(this.handle, binding.handle, (error, status) => {
        try {
          if (error) throw new OrbitError('ONNX Runtime could not be called.', { cause: error });
          this.check(status);
          resolve();
        } catch (e) {
          reject(e as Error);
        }
      });
    });
  }

  private check(status: unknown): void {
    try {
      ort().check(status);
    } catch (cause) {
      throw runError(cause as Error, this.name, this.failures);
    }
  }

  /** Ends profiling and returns the path of the file that ONNX Runtime wrote. */
  endProfiling(): string {
    const { api, make, readText } = ort();
    const allocator = make((out) => api.getAllocator(out));
    return readText(make((out) => api.endProfiling(this.handle, allocator, out)));
  }

  /** Gives the session and its bindings back. Must not be called while a run is in progress. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const binding of [...this.bindings]) this.release(binding);
    ort().api.releaseSession(this.handle);
  }
}

/** Buffers bound to a session's inputs and outputs; holds them in memory. */
export interface Binding {
  readonly handle: Handle;
  readonly held: readonly NativeBuffer[];
}
