export { isStateful, isStateTensor, type StateArray, type Stateful, type StateDict, type StateDType, type StateTensor, type StateValue } from './state.js';
