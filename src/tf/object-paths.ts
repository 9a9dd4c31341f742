/**
 * Object paths: names for variables that depend on the model alone. tfjs names layers by counters of the whole process
 * (`dense_Dense1`, then `dense_Dense2` for the same model built again), so checkpoints, weight-decay patterns and
 * layer-wise learning rates use these paths instead. tfjs objects are recognised by structure; tfjs is not imported.
 */

/** What we need of a `tf.Variable`. A real `tf.Variable` fits. */
export interface VariableLike {
  readonly name: string;
  readonly shape: number[];
  readonly dtype: string;
  /** Replaces the value by that of a tensor of the same shape and dtype. */
  assign(value: never): void;
  /** The value, flat, in row-major order. */
  dataSync(): ArrayLike<number> | Uint8Array[] | string[];
}

/** A weight of a tfjs layer (`LayerVariable`): `val` is the variable, `originalName` its name scopes and name. */
interface LayerWeight {
  readonly originalName: string;
  readonly val: VariableLike;
}

/** What we need of a tfjs layer or model. A real `tf.layers.Layer` or `tf.LayersModel` fits. */
interface LayerLike {
  readonly name: string;
  readonly weights: readonly LayerWeight[];
  readonly layers?: readonly LayerLike[];
  getClassName(): string;
}

/** Tells whether `x` is a tfjs variable (of any copy of tfjs). */
export function isVariable(x: unknown): x is VariableLike {
  if (typeof x !== 'object' || x === null) return false;
  const v = x as Partial<VariableLike>;
  return typeof v.assign === 'function' && typeof v.dataSync === 'function' && typeof v.dtype === 'string' && Array.isArray(v.shape);
}

/** Tells whether `x` is a tfjs layer; a `LayersModel` or `Sequential` is one too. */
export function isLayer(x: unknown): boolean {
  return asLayer(x) !== undefined;
}

/** Tells whether `x` is a tfjs model, that is a layer made of layers (`LayersModel`, `Sequential`). */
export function isLayersModel(x: unknown): boolean {
  return Array.isArray(asLayer(x)?.layers);
}

/**
 * The object path of every variable in `model`.
 *
 * For tfjs models and layers: `<layer>/<weight>`, nested models `<model>/<layer>/<weight>`. `<layer>` is the name that the
 * user gave, or else the class in snake_case with a count within its model, `dense_0`, `dense_1`, `batch_normalization_0`;
 * `<weight>` the short name (`kernel`, `bias`, `gamma`, `moving_mean`). Wrappers add their inner layer's name, `Bidirectional`
 * adds `forward` or `backward`, stacked cells add the cell's; a layer that holds layers as fields adds the field's name.
 * Other objects and arrays: their keys, joined by `/`. A variable reached twice keeps its first path.
 *
 * @param model a tfjs model or layer, a variable, or any nesting of these in objects and arrays.
 * @returns variables and paths in the order of the structure; empty if there are none (an unbuilt model has none yet).
 */
export function variablePaths(model: unknown): Map<VariableLike, string> {
  const walk = new Walk();
  walk.value(model, '');
  return walk.paths;
}

/** One traversal: what was found and what was visited. */
class Walk {
  readonly paths = new Map<VariableLike, string>();
  private readonly taken = new Set<string>();
  private readonly visited = new Set<object>();

  value(x: unknown, path: string): void {
    if (isVariable(x)) return this.add(x, path);
    if (typeof x !== 'object' || x === null || ArrayBuffer.isView(x) || this.visited.has(x)) return;
    const layer = asLayer(x);
    if (layer) return this.layer(layer, path);
    if (isTensor(x)) return;
    this.visited.add(x);
    if (isWeight(x)) return this.add(x.val, path);
    const entries = x instanceof Map ? [...x.entries()] : Object.entries(x);
    for (const [key, child] of entries) this.value(child, join(path, String(key)));
  }

  private layer(layer: LayerLike, path: string): void {
    if (this.visited.has(layer)) return;
    this.visited.add(layer);
    if (Array.isArray(layer.layers)) {
      this.siblings(layer.layers, path);
    } else {
      for (const [key, child] of Object.entries(layer)) {
        if (key === 'inboundNodes' || key === 'outboundNodes') continue;
        if (Array.isArray(child) && child.length > 0 && child.every(isLayer)) {
          this.siblings(child as LayerLike[], key === 'cells' ? path : join(path, key));
        } else if (asLayer(child)) {
          this.inner(key, child as LayerLike, path);
        }
      }
    }
    for (const weight of layer.weights) this.add(weight.val, join(path, shortName(weight, layer)));
  }

  /** A layer held as a field of another: tfjs's own wrappers get short, fixed names. */
  private inner(key: string, child: LayerLike, path: string): void {
    if (key === 'cell') this.layer(child, path);
    else if (key === 'layer') this.siblings([child], path);
    else if (key === 'forwardLayer') this.layer(child, join(path, 'forward'));
    else if (key === 'backwardLayer') this.layer(child, join(path, 'backward'));
    else this.layer(child, join(path, key));
  }

  private siblings(layers: readonly LayerLike[], path: string): void {
    const given = new Set(layers.filter((l) => automaticClass(l) === undefined).map((l) => l.name));
    const counts = new Map<string, number>();
    for (const layer of layers) {
      const prefix = automaticClass(layer);
      let name = layer.name;
      if (prefix !== undefined) {
        do {
          const count = counts.get(prefix) ?? 0;
          counts.set(prefix, count + 1);
          name = `${prefix}_${count}`;
        } while (given.has(name));
      }
      this.layer(layer, join(path, name));
    }
  }

  private add(variable: VariableLike, path: string): void {
    if (this.paths.has(variable)) return;
    let unique = path || 'value';
    for (let n = 1; this.taken.has(unique); n++) unique = `${path}_${n}`;
    this.taken.add(unique);
    this.paths.set(variable, unique);
  }
}

/**
 * The class in snake_case if tfjs made the layer's name by counting, undefined if the user gave it. tfjs's automatic names
 * are `dense_Dense3` for layers, `input2` for inputs, `sequential_1` and `model1` for models.
 */
function automaticClass(layer: LayerLike): string | undefined {
  const className = layer.getClassName();
  const named = (suffix: string): string | undefined => {
    const cut = layer.name.lastIndexOf(suffix);
    return cut >= 0 && /^\d+$/.test(layer.name.slice(cut + suffix.length)) ? layer.name.slice(0, cut) : undefined;
  };
  const snake = named(`_${className}`);
  if (snake !== undefined && squeezed(snake) === squeezed(className)) return snake;
  if (className === 'InputLayer') return named('input') === '' ? 'input' : undefined;
  if (!Array.isArray(layer.layers)) return undefined;
  const model = className.toLowerCase();
  return named(model) === '' ? model : named('sequential_') === '' ? 'sequential' : undefined;
}

function squeezed(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** The weight's name below its layer: `originalName` without the enclosing name scopes. */
function shortName(weight: LayerWeight, layer: LayerLike): string {
  const scope = `${layer.name}/`;
  const at = weight.originalName.lastIndexOf(scope);
  if (at >= 0) return weight.originalName.slice(at + scope.length);
  return weight.originalName.slice(weight.originalName.lastIndexOf('/') + 1);
}

function asLayer(x: unknown): LayerLike | undefined {
  if (typeof x !== 'object' || x === null) return undefined;
  const l = x as Partial<LayerLike> & { inboundNodes?: unknown };
  return typeof l.getClassName === 'function' && Array.isArray(l.inboundNodes) ? (x as LayerLike) : undefined;
}

function isTensor(x: object): boolean {
  return 'dataId' in x && 'dtype' in x && 'shape' in x;
}

function isWeight(x: object): x is LayerWeight {
  return 'originalName' in x && 'val' in x && isVariable(x.val);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
