import * as tf from '#tf';

/** What `initScope` and the tracer need to see of tfjs's engine: its active backend. */
interface EngineBackend {
  backendName: string;
  backendInstance: tf.KernelBackend;
  state: { gradientDepth: number };
}

/**
 * Runs `f` eagerly on tfjs's cpu backend, also while a step is being traced, and outside any gradient tape. Variables that
 * belong to the step (layer weights, optimizer slots, metric totals) are made in it, so that their first values are
 * computed at once instead of becoming part of the traced graph.
 *
 * @returns what `f` returns. `f` must be synchronous and must not read tensors that only exist in the trace.
 */
export function initScope<T>(f: () => T): T {
  const engine = tf.engine() as unknown as EngineBackend;
  const { backendName, backendInstance } = engine;
  const { gradientDepth } = engine.state;
  const cpu = tf.findBackend('cpu');
  engine.backendName = 'cpu';
  engine.backendInstance = cpu;
  engine.state.gradientDepth = 0;
  try {
    return f();
  } finally {
    engine.backendName = backendName;
    engine.backendInstance = backendInstance;
    engine.state.gradientDepth = gradientDepth;
  }
}
