/** Kernels that move pixels without computing: flips, mirrored borders, blocks between space, depth and batch. */
import * as tf from '#tf';
import { nchw, rows, type Lowering } from '../graph/lowering.js';
import { defineKernels } from './define.js';

type Pairs = readonly (readonly [number, number])[];

/** Positions along an axis that is continued at both ends by its mirror image, `offset` 1 repeating the border. */
function mirrored(size: number, [before, after]: readonly [number, number], offset: number): Int32Array {
  return Int32Array.from({ length: before + size + after }, (_, i) => {
    const end = before + size;
    const at = i < before ? before * 2 - i - offset : i >= end ? (end - 1) * 2 - i + offset : i;
    return at - before;
  });
}

/** A Slice that drops the crops of the axes after the first. */
function crop(g: Lowering, name: string, shape: readonly number[], crops: Pairs): string {
  if (crops.every(([a, b]) => a === 0 && b === 0)) return name;
  const axes = crops.map((_, i) => i + 1);
  return g.op('Slice', [name, g.ints(crops.map(([a]) => a)), g.ints(crops.map(([, b], i) => shape[i + 1]! - b)), g.ints(axes)]);
}

const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

function paddedShape(shape: readonly number[], paddings: Pairs): number[] {
  return shape.map((d, i) => (i === 0 || i > paddings.length ? d : d + paddings[i - 1]![0] + paddings[i - 1]![1]));
}

defineKernels(
  {
    kernel: 'FlipLeftRight',
    form: 'Slice with step −1',
    infer: ({ image }) => image!,
    lower: (g, { image }) => {
      const layout = g.preferredLayout(image!);
      const end = -image!.shape[2]! - 1;
      const axis = layout === 'rows' ? 2 : 3;
      const name = g.op('Slice', [g.in(image!, layout), g.ints([-1]), g.ints([end]), g.ints([axis]), g.ints([-1])]);
      return layout === 'rows' ? rows(name) : nchw(name);
    },
  },
  {
    kernel: 'MirrorPad',
    form: 'a Gather along each padded axis',
    infer: ({ x }, { paddings }) => ({
      dtype: x!.dtype,
      shape: x!.shape.map((d, i) => d + (paddings as Pairs)[i]![0] + (paddings as Pairs)[i]![1]),
    }),
    lower: (g, { x }, { paddings, mode }) => {
      let name = g.rows(x!);
      (paddings as Pairs).forEach((pair, axis) => {
        if (pair[0] === 0 && pair[1] === 0) return;
        const index = mirrored(x!.shape[axis]!, pair, mode === 'reflect' ? 0 : 1);
        name = g.op('Gather', [name, g.constant(index, [index.length], 'int32')], { axis });
      });
      return rows(name);
    },
  },
  {
    kernel: 'DepthToSpace',
    form: 'DepthToSpace in NCHW; Reshape and Transpose on NHWC',
    infer: ({ x }, { blockSize, dataFormat }) => {
      if (dataFormat !== 'NHWC') throw new Error(`Only NHWC dataFormat supported on CPU for depthToSpace. Got ${String(dataFormat)}`);
      const [n, h, w, c] = x!.shape as [number, number, number, number];
      const b = blockSize as number;
      return { dtype: x!.dtype, shape: [n, h * b, w * b, c / (b * b)] };
    },
    lower: (g, { x }, { blockSize }, call) => {
      const [n, h, w, c] = x!.shape as [number, number, number, number];
      const b = blockSize as number;
      if (x!.dtype === 'float32' && g.preferredLayout(x!) === 'nchw')
        return nchw(g.op('DepthToSpace', [g.nchw(x!)], { blocksize: b, mode: 'DCR' }));
      const blocks = g.reshape(g.rows(x!), [n, h, w, b, b, c / (b * b)]);
      return rows(g.reshape(g.transpose(blocks, [0, 1, 3, 2, 4, 5]), call.outputs[0]!.shape));
    },
  },
  {
    kernel: 'SpaceToBatchND',
    form: 'Pad, Reshape, Transpose, Reshape',
    infer: ({ x }, { blockShape, paddings }) => {
      const block = blockShape as number[];
      const shape = tf.backend_util.getReshapedPermuted(paddedShape(x!.shape, paddings as Pairs), block, product(block), false);
      return { dtype: x!.dtype, shape };
    },
    lower: (g, { x }, { blockShape, paddings }, call) => {
      const block = blockShape as number[];
      const pairs = paddings as Pairs;
      const rest = x!.shape.slice(1 + block.length).map(() => 0);
      let name = g.rows(x!);
      if (pairs.some(([a, b]) => a !== 0 || b !== 0)) {
        const pads = [0, ...pairs.map(([a]) => a), ...rest, 0, ...pairs.map(([, b]) => b), ...rest];
        name = g.op('Pad', [name, g.ints(pads), g.scalar(0, x!.dtype)]);
      }
      const blocks = tf.backend_util.getReshaped(paddedShape(x!.shape, pairs), block, product(block), false);
      const perm = tf.backend_util.getPermuted(blocks.length, block.length, false);
      return rows(g.reshape(g.transpose(g.reshape(name, blocks), perm), call.outputs[0]!.shape));
    },
  },
  {
    kernel: 'BatchToSpaceND',
    form: 'Reshape, Transpose, Reshape, Slice',
    infer: ({ x }, { blockShape, crops }) => {
      const block = blockShape as number[];
      const whole = tf.backend_util.getReshapedPermuted(x!.shape as number[], block, product(block));
      const cropped = tf.backend_util.getSliceSize(whole, crops as number[][], block.length);
      return { dtype: x!.dtype, shape: [...cropped, ...whole.slice(cropped.length)] };
    },
    lower: (g, { x }, { blockShape, crops }) => {
      const block = blockShape as number[];
      const blocks = tf.backend_util.getReshaped(x!.shape as number[], block, product(block));
      const perm = tf.backend_util.getPermuted(blocks.length, block.length);
      const whole = tf.backend_util.getReshapedPermuted(x!.shape as number[], block, product(block));
      const name = g.reshape(g.transpose(g.reshape(g.rows(x!), blocks), perm), whole);
      return rows(crop(g, name, whole, crops as Pairs));
    },
  },
);
