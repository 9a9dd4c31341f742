export {
  functionInWords,
  inWorker,
  InWorker,
  refuseClosure,
  workerOptionNames,
  type FunctionKind,
  type WorkerContext,
  type WorkerFunction,
  type WorkerOptions,
} from './named-function.js';
export type { Elements } from './elements.js';
export { defaultWorkers, makePool, type Pool, type PoolPlan, type Ticket } from './pool.js';
export { ElementFailure } from './run-job.js';
export { decode, encode, viewsOf } from './codec.js';
export { importInWorkers } from './worker-thread.js';
