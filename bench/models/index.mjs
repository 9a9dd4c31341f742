// The models whose training step is measured. Each module is loaded when it is asked for, and names its arithmetic:
// `flops` of a step, and `build()` → { forward, variables, x, y, classes }.

/** Names, in the order of the report. */
export const MODEL_NAMES = ['mlp', 'cnn', 'resnet', 'gpt', 'lstm'];

/** Loads a model's module. */
export function loadModel(name) {
  if (!MODEL_NAMES.includes(name)) throw new Error(`unknown model "${name}"; known: ${MODEL_NAMES.join(', ')}`);
  return import(`./${name}.mjs`);
}
