// The cpu backend as orbit uses it: silent, and readers get copies of values that a compiled step will overwrite.
import * as core from '@tensorflow/tfjs-core';
import { registerImageKernels } from './images.js';
import { registerRandomKernels } from './random.js';

/** The parts of tfjs's cpu backend that are adapted here, and what the adaptation adds. */
interface CpuBackend {
  firstUse: boolean;
  readSync(dataId: object): core.BackendValues;
  /** Data ids whose values live in native double buffers. */
  orbitCells?: WeakSet<object>;
}

/** Makes `cpu` the active backend unless the process already chose one, and adapts it. */
export function installBackend(): void {
  const engine = core.engine();
  const backend = engine.findBackend('cpu') as unknown as CpuBackend | null;
  if (backend === null) throw new Error('orbit-ts/tf: the tfjs cpu backend could not be initialised');
  backend.firstUse = false; // no start-up banner
  if (!backend.orbitCells) {
    // Values held in native double buffers are overwritten by later steps: whoever reads them gets a copy.
    const cells = (backend.orbitCells = new WeakSet());
    const readSync = backend.readSync.bind(backend);
    backend.readSync = (dataId) => {
      const values = readSync(dataId);
      return cells.has(dataId) ? values.slice() : values;
    };
  }
  registerRandomKernels();
  registerImageKernels();
  if (!engine.backendName) void core.setBackend('cpu'); // set at once: the cpu backend is made synchronously
}
