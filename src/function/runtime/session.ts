/** An ONNX Runtime session over one graph, and the bindings it runs with. */
import { OrbitError, TraceError } from '../../errors.js';
import { encodeModel, type OnnxAttribute, type OnnxGraph, type OnnxNode } from '../graph/onnx.js';
import { arenaBytes } from './arena.js';
import type { NativeBuffer } from './buffer.js';
import { countHandle } from './handles.js';
import { nativeLibrary } from './native.js';
import { ort, type Handle } from './ort.js';
import { runError } from './run-error.js';
import { threadsPerSession, usePoolPerSession } from './threads.js';

/** How much ONNX Runtime rewrites a graph itself; see `CompileOptions.graphOptimizationLevel`. */
export type GraphOptimizationLevel = 'disabled' | 'basic' | 'extended' | 'all';

/** ONNX Runtime's numbers of the levels. */
export const graphOptimizationLevels: Readonly<Record<GraphOptimizationLevel, number>> = { disabled: 0, basic: 1, extended: 2, all: 99 };

/** Options of a session. */
export interface SessionOptions {
  /** Default `extended`. */
  readonly graphOptimizationLevel?: GraphOptimizationLevel | undefined;
  /** Threads of a pool of its own; undefined: the pool that all sessions share. */
  readonly threads?: number | undefined;
  /** File prefix for ONNX Runtime's profiler; profiling is off without it. */
  readonly profilePrefix?: string;
}

/** A compiled graph, ready to run. Owns native memory until `close()`. */
export class Session {
  private readonly handle: Handle;
  private readonly bindings = new Set<Binding>();
  private readonly name: string;
  /** By label, which profiles and errors of ONNX Runtime give back. */
  readonly nodes: ReadonlyMap<string, OnnxNode>;
  private closed = false;

  /** @throws TraceError when ONNX Runtime refuses the graph. */
  constructor(graph: OnnxGraph, options: SessionOptions = {}) {
    const model = encodeModel(graph);
    this.name = graph.name;
    this.nodes = new Map(allNodes(graph).map((n) => [n.label, n]));
    try {
      this.handle = this.create(model, options.threads ?? threadsPerSession(), options);
    } catch (cause) {
      throw new TraceError(`ONNX Runtime refuses the compiled graph of "${graph.name}": ${(cause as Error).message}`, { cause });
    }
    countHandle('session', 1);
  }

  /** @param threads of a pool of its own; undefined: the pool of all sessions. */
  private create(model: Uint8Array, threads: number | undefined, options: SessionOptions): Handle {
    const { api, check, env, make, numThreads } = ort();
    const settings = make((out) => api.createSessionOptions(out));
    try {
      check(api.setGraphOptimizationLevel(settings, graphOptimizationLevels[options.graphOptimizationLevel ?? 'extended']));
      if (threads === undefined) check(api.disablePerSessionThreads(settings));
      else check(api.setIntraOpNumThreads(settings, threads));
      check(api.disableMemPattern(settings)); // saves memory at no cost in time
      if (options.profilePrefix !== undefined) check(api.enableProfiling(settings, options.profilePrefix));
      const native = [...this.nodes.values()].some((n) => n.domain === 'orbit') ? nativeLibrary(true) : undefined;
      if (native !== undefined) check(api.registerCustomOpsLibrary(settings, native.library));
      return make((out) => api.createSessionFromArray(env, model, model.length, settings, out));
    } catch (cause) {
      // Something else in this process, such as onnxruntime-node, made the one environment first, without a pool for all.
      if (threads !== undefined || !/EnvCreatedWithGlobalThreadPools/.test((cause as Error).message)) throw cause;
      usePoolPerSession();
      return this.create(model, numThreads, options);
    } finally {
      api.releaseSessionOptions(settings);
    }
  }

  /** Bytes of the arena for intermediate values; undefined where ONNX Runtime cannot tell. */
  get arenaBytes(): number | undefined {
    return arenaBytes(this.handle);
  }

  /** Makes a binding: a fixed choice of buffers for the graph's inputs and outputs. */
  bind(inputs: Iterable<[string, NativeBuffer]>, outputs: Iterable<[string, NativeBuffer]>): Binding {
    const { api, check, make } = ort();
    const handle = make((out) => api.createIoBinding(this.handle, out));
    countHandle('binding', 1);
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
    if (!this.bindings.delete(binding)) return;
    ort().api.releaseIoBinding(binding.handle);
    countHandle('binding', -1);
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
      throw runError(cause as Error, this.name, this.nodes);
    }
  }

  /** Ends profiling and returns the path of the file that ONNX Runtime wrote. */
  endProfiling(): string {
    const { api, check, make, readText } = ort();
    const allocator = make((out) => api.getAllocator(out));
    const text = make((out) => api.endProfiling(this.handle, allocator, out));
    const file = readText(text);
    check(api.allocatorFree(allocator, text));
    return file;
  }

  /** Gives the session and its bindings back. Must not be called while a run is in progress. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const binding of [...this.bindings]) this.release(binding);
    ort().api.releaseSession(this.handle);
    countHandle('session', -1);
  }
}

/** Buffers bound to a session's inputs and outputs; holds them in memory. */
export interface Binding {
  readonly handle: Handle;
  readonly held: readonly NativeBuffer[];
}

/** The nodes of a graph and of the graphs inside it. */
function allNodes(graph: OnnxGraph): OnnxNode[] {
  return graph.nodes.flatMap((node) => [node, ...Object.values(node.attributes).flatMap(nodesInside)]);
}

function nodesInside(attribute: OnnxAttribute): OnnxNode[] {
  return typeof attribute === 'object' && 'graph' in attribute ? allNodes((attribute as { readonly graph: OnnxGraph }).graph) : [];
}
