/** The compiler: `compile` turns a tfjs function into a natively executed step. */
export { initScope } from './init-scope.js';
export { randomState, setRandomSeed } from './random-state.js';
