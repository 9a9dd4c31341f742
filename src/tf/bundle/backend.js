// The cpu backend as orbit uses it: silent, and readers get copies of values that a compiled step will overwrite.
import { registerRandomKernel } from './random.js';

/** Makes `cpu` the active backend unless the process already chose one, and adapts it. */
export function installBackend(core) {
  const engine = core.engine();
  const backend = engine.findBackend('cpu');
  if (backend === null) throw new Error('orbit-ts/tf: the tfjs cpu backend could not be initialised');
  backend.firstUse = false; // no start-up banner
  if (!backend.orbitCells) {
    // Values held in native double buffers are overwritten by later steps: whoever reads them gets a copy.
    backend.orbitCells = new WeakSet();
    const readSync = backend.readSync.bind(backend);
    backend.readSync = (dataId) => {
      const values = readSync(dataId);
      return backend.orbitCells.has(dataId) ? values.slice() : values;
    };
  }
  registerRandomKernel(core);
  if (!engine.backendName) core.setBackend('cpu');
}
