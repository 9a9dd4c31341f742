/** Describing a model to people: parameter counts, a table of its layers, a list of its variables. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '#tf';
import { countFlops } from '../function/index.js';
import { variablePaths } from '../tf/object-paths.js';

/** What counting needs of a model: its weights, once it is built. */
export interface CountableModel {
  /** All weights. */
  readonly weights: readonly { readonly shape: readonly (number | null)[]; readonly name: string }[];
  /** The weights that training changes. */
  readonly trainableWeights: readonly { readonly shape: readonly (number | null)[] }[];
}

const product = (shape: readonly (number | null)[]): number => shape.reduce<number>((n, d) => n * (d ?? 1), 1);

/**
 * Number of parameters of a model, or null if it is not built yet.
 * @param trainableOnly count only the weights that training changes; default false
 */
export function tryCountParams(model: unknown, trainableOnly = false): number | null {
  try {
    const { weights, trainableWeights } = model as CountableModel;
    const counted = trainableOnly ? trainableWeights : weights;
    if (!Array.isArray(counted) || (!trainableOnly && counted.length === 0 && (model as { built?: boolean }).built === false)) return null;
    return counted.reduce((n, w) => n + product(w.shape), 0);
  } catch {
    return null; // tfjs throws when a layer has no weights yet
  }
}

/**
 * Multiplications and additions of one example's inference, in matrix products and convolutions; null where the model is not built,
 * or they cannot be counted, such as in recurrent layers. Nothing is computed.
 * @param batchSize examples at once. Default 1.
 */
export function tryCountFlops(model: unknown, batchSize = 1): number | null {
  const inputs: tf.Tensor[] = [];
  try {
    const { inputs: specs } = model as tf.LayersModel;
    for (const { shape, dtype } of specs) inputs.push(tf.zeros(shape.map((d) => d ?? batchSize), dtype as 'float32')); // prettier-ignore
    const apply = (...given: tf.Tensor[]): unknown => (model as tf.LayersModel).apply(given.length === 1 ? given[0]! : given);
    return countFlops(apply as never, inputs);
  } catch {
    return null;
  } finally {
    tf.dispose(inputs);
  }
}

/** Lines about the size of a model: its parameters, and its multiply-adds for one example. Empty where neither can be counted. */
export function sizeLines(model: unknown): string[] {
  const parameters = tryCountParams(model);
  const trained = tryCountParams(model, true) ?? parameters;
  const flops = tryCountFlops(model);
  const others = trained === parameters ? '' : ` of ${millions(parameters!)}`;
  return [
    ...(parameters === null ? [] : [`Number of trained parameters: ${millions(trained!)}${others} million.`]),
    ...(flops === null ? [] : [`Multiply-adds for one example: ${(flops / 2e9).toPrecision(3)} billion.`]),
  ];
}

function millions(n: number): string {
  return n >= 1e5 || n === 0 ? (n / 1e6).toFixed(2) : (n / 1e6).toPrecision(2);
}

/** A whole number with thousands separated: `12,345`. (The first use of `toLocaleString` takes 30 ms.) */
export function separated(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Writes one line `<variable name> [dims]` per variable, a blank line and `Total params: <n>` to `file`. */
export async function writeModelParams(model: CountableModel, file: string): Promise<void> {
  const lines = model.weights.map((w) => `${w.name} [${w.shape.join(', ')}]`);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${lines.join('\n')}\n\nTotal params: ${tryCountParams(model) ?? 0}\n`);
}

const shapeText = (shape: unknown): string =>
  Array.isArray(shape) && Array.isArray(shape[0])
    ? (shape as unknown[]).map(shapeText).join(', ')
    : `[${(shape as (number | null)[]).map((d) => d ?? '·').join(', ')}]`;

/**
 * A table of a model's layers with output shapes (`·` = batch) and parameter counts, and the totals below it.
 * A model without layers gives the totals only; one that is not built gives an empty text.
 */
export function modelSummary(model: unknown): string {
  const total = tryCountParams(model);
  const trainable = tryCountParams(model, true);
  if (total === null || trainable === null) return '';
  const layers = (model as { layers?: tf.layers.Layer[] }).layers ?? [];
  const names = layerNames(model, layers);
  const rows = layers.map((layer, i) => [names[i]!, layer.getClassName(), outputShape(layer), separated(layer.countParams())]);
  const lines: string[] = [];
  if (rows.length > 0) {
    const table = [['Layer', 'Type', 'Output', 'Parameters'], ...rows];
    const width = [0, 1, 2, 3].map((c) => Math.max(...table.map((r) => r[c]!.length)));
    const line = (r: string[]): string => r.map((cell, c) => (c === 3 ? cell.padStart(width[c]!) : cell.padEnd(width[c]!))).join('  ');
    const rule = '─'.repeat(width.reduce((a, b) => a + b, 6));
    lines.push(line(table[0]!), rule, ...table.slice(1).map(line), rule);
  }
  const frozen = total - trainable;
  lines.push(`${separated(total)} parameters${frozen > 0 ? `, ${separated(frozen)} of them not trained` : ''}`);
  return lines.join('\n');
}

/** The layers' names as in checkpoints where they have weights, else without tfjs's counter. */
function layerNames(model: unknown, layers: readonly tf.layers.Layer[]): string[] {
  const paths = variablePaths(model);
  return layers.map((layer) => {
    const [weight] = layer.weights;
    const path = weight === undefined ? undefined : paths.get(weight.read() as never);
    return path?.slice(0, path.lastIndexOf('/')) ?? layer.name.replace(/_[A-Z]\w*\d+$/, '');
  });
}

function outputShape(layer: tf.layers.Layer): string {
  try {
    return shapeText(layer.outputShape);
  } catch {
    return '?'; // used more than once, or not connected
  }
}
