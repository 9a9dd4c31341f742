/** Which part of the user's model a kernel call belongs to: layers, the optimizer, gradients of either, and parts that users name. */
import * as tf from '#tf';
import { engine } from './engine.js';
import { captureOrigin, type Origin } from './origin.js';

/** A tape node of tfjs: an op of the forward pass, and how its gradient is computed. */
interface TapeNode {
  gradient?: (dys: tf.Tensor[]) => Record<string, () => tf.Tensor>;
}

let scope = '';
/** The place that all calls belong to while gradients or an optimizer run; undefined: wherever the call is made. */
let place: Origin | undefined;

/** The name of the part that runs now; empty outside every part. */
export function currentScope(): string {
  return scope;
}

/** The origin of a call made now. */
export function currentOrigin(): Origin {
  return place?.scope === scope ? place : captureOrigin(scope);
}

/** Options of {@link nameScope}. */
export interface NameScopeOptions {
  /**
   * All operations count as made by the line that called `nameScope`, which makes tracing faster where there are many:
   * optimizers do so. Default false.
   */
  readonly atCaller?: boolean;
}

/**
 * Runs `f` as a named part of the model: `graph()`, `profile()` and errors show the name for everything computed in it, and
 * `gradient of <name>` for its gradients. Names nest with slashes. Layers and optimizers are parts of their own.
 *
 * @example
 * const loss = nameScope('loss', () => tf.losses.meanSquaredError(labels, outputs));
 */
export function nameScope<T>(name: string, f: () => T, options: NameScopeOptions = {}): T {
  const inside = scope === '' ? name : `${scope}/${name}`;
  return within(inside, options.atCaller ? captureOrigin(inside) : undefined, f);
}

function within<T>(inside: string, origin: Origin | undefined, f: () => T): T {
  const outer = { scope, place };
  scope = inside;
  place = origin;
  try {
    return f();
  } finally {
    ({ scope, place } = outer);
  }
}

/**
 * Makes layers name their part of the trace, and gradients belong to the forward op that they are of. Undoes itself when
 * called back.
 */
export function watchScopes(): () => void {
  const { prototype } = tf.layers.Layer;
  const { apply } = prototype;
  prototype.apply = function (this: tf.layers.Layer, ...args: Parameters<typeof apply>) {
    return nameScope(this.name, () => apply.call(this, ...args));
  };
  const e = engine() as unknown as { addTapeNode?: (...args: unknown[]) => void; state: { activeTape: TapeNode[] } };
  const addTapeNode = e.addTapeNode!;
  e.addTapeNode = function (...args) {
    const origin = currentOrigin();
    addTapeNode.apply(e, args);
    const node = e.state.activeTape.at(-1);
    if (node?.gradient !== undefined) node.gradient = inScopeOf(origin, node.gradient);
  };
  return () => {
    prototype.apply = apply;
    delete e.addTapeNode; // the class's own shows again
  };
}

function inScopeOf(origin: Origin, gradient: NonNullable<TapeNode['gradient']>): NonNullable<TapeNode['gradient']> {
  const name = origin.scope === '' ? 'gradient' : `gradient of ${origin.scope}`;
  const there = { scope: name, at: origin };
  return (dys) =>
    within(name, there, () => {
      const parts = Object.entries(gradient(dys)).map(([input, make]) => [input, () => within(name, there, make)] as const);
      return Object.fromEntries(parts);
    });
}
