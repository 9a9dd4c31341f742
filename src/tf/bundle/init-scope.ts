// Leaving a traced or eager step for a moment: what a step needs to exist before it runs is made here.
import * as core from '@tensorflow/tfjs-core';
import { stepRandom } from './random.js';

interface Engine {
  backendName: string;
  backendInstance: (core.KernelBackend & { leaveInitScope?: () => void }) | null;
  state: { gradientDepth: number };
}

/** Runs `f` eagerly on the cpu backend, outside any tape, step or trace. @internal */
export function initScope<T>(f: () => T): T {
  const engine = core.engine() as unknown as Engine;
  const { backendName, backendInstance } = engine;
  const { gradientDepth } = engine.state;
  const { call } = stepRandom;
  engine.backendInstance = core.findBackend('cpu');
  engine.backendName = 'cpu';
  engine.state.gradientDepth = 0;
  stepRandom.call = -1;
  try {
    return f();
  } finally {
    engine.backendName = backendName;
    engine.backendInstance = backendInstance;
    engine.state.gradientDepth = gradientDepth;
    stepRandom.call = call;
    backendInstance?.leaveInitScope?.(); // a trace takes over the variables that were made
  }
}
