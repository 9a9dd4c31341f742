/** For tests: for every gradient that tfjs registers, a function whose derivative goes through it. */
import * as tf from '#tf';

/** A function, and the tensors to differentiate it by. */
export interface GradientCase {
  readonly f: (...xs: tf.Tensor[]) => tf.Tensor;
  readonly inputs: readonly tf.Tensor[];
  /** Whether finite differences approach its gradient; a reason where they do not. Default true. */
  readonly notSmooth?: string;
}

/** Numbers between `low` and `high` in an irregular order, all different and none near a whole number of fifths. */
function numbers(shape: readonly number[], low = -2, high = 2, seed = 1): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, (_, i) => {
    const u = ((i + 1) * 0.6180339887 + seed * 0.3247) % 1;
    return low + (high - low) * (0.02 + 0.96 * u);
  });
  return tf.tensor(values, [...shape]);
}

const of = (f: (...xs: tf.Tensor[]) => tf.Tensor, ...inputs: tf.Tensor[]): GradientCase => ({ f, inputs });
const rough = (notSmooth: string, f: (...xs: tf.Tensor[]) => tf.Tensor, ...inputs: tf.Tensor[]): GradientCase => ({ f, inputs, notSmooth });
const unary = (f: (x: tf.Tensor) => tf.Tensor, low = -2, high = 2): GradientCase => of(f, numbers([2, 3], low, high));
const FLAT = 'it is a step function, whose gradient tfjs says is 0';
const flat = (f: (x: tf.Tensor) => tf.Tensor): GradientCase => rough(FLAT, (x) => f(x).mul(x), numbers([2, 3], 0.1, 0.9));

/** Images, filters and volumes of a few pixels. */
const image = (): tf.Tensor => numbers([2, 5, 4, 2]);
const filter = (...shape: number[]): tf.Tensor => numbers(shape, -1, 1, 3);
const volume = (): tf.Tensor => numbers([1, 4, 3, 4, 2]);
const vector = (low: number, high: number, seed: number): tf.Tensor => numbers([2], low, high, seed);
/** A case for each gradient, by kernel. */
export const gradientCases: Readonly<Record<string, () => GradientCase>> = {
  Abs: () => unary(tf.abs),
  Acos: () => unary(tf.acos, -0.8, 0.8),
  Acosh: () => unary(tf.acosh, 1.3, 4),
  Add: () => of((a, b) => a!.add(b!), numbers([2, 3]), numbers([3], -1, 1, 2)),
  AddN: () => of((a, b, c) => tf.addN([a!, b!, c!]), numbers([2, 3]), numbers([2, 3], -1, 1, 2), numbers([2, 3], -1, 1, 3)),
  ArgMax: () => rough(FLAT, (x) => tf.cast(x!.argMax(1), 'float32').mul(x!.sum(1)), numbers([2, 3])),
  ArgMin: () => rough(FLAT, (x) => tf.cast(x!.argMin(1), 'float32').mul(x!.sum(1)), numbers([2, 3])),
  Asin: () => unary(tf.asin, -0.8, 0.8),
  Asinh: () => unary(tf.asinh),
  Atan: () => unary(tf.atan),
  Atan2: () => of((a, b) => tf.atan2(a!, b!), numbers([2, 3]), numbers([1, 3], 0.5, 2, 2)),
  Atanh: () => unary(tf.atanh, -0.8, 0.8),
  AvgPool: () => of((x) => tf.avgPool(x as tf.Tensor4D, [2, 3], [2, 1], 'valid'), image()),
  AvgPool3D: () => of((x) => tf.avgPool3d(x as tf.Tensor5D, 2, 1, 'valid'), volume()),
  BatchMatMul: () => of((a, b) => tf.matMul(a!, b!, true, false), numbers([2, 3, 2]), numbers([2, 3, 4], -1, 1, 2)),
  BatchToSpaceND: () => of((x) => tf.batchToSpaceND(x!, [2, 1], [[0, 1], [0, 0]]), numbers([4, 2, 3, 1])), // prettier-ignore
  BroadcastTo: () => of(broadcastBackwards, numbers([3, 4])),
  Cast: () => of((x) => tf.cast(x!, 'float32').square(), numbers([2, 3])),
  Ceil: () => flat(tf.ceil),
  ClipByValue: () => unary((x) => tf.clipByValue(x, -0.9, 1.1)),
  ComplexAbs: () => rough('complex numbers cannot be compiled', (x) => tf.abs(tf.complex(x!, x!)), numbers([2])),
  Concat: () => of((a, b) => tf.concat([a!, b!], 1), numbers([2, 3]), numbers([2, 2], -1, 1, 2)),
  Conv2D: () => of((x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [2, 1], 'same'), image(), filter(3, 2, 2, 3)),
  Conv2DBackpropInput: () =>
    of((x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [2, 10, 8, 2], 2, 'same'), image(), filter(3, 3, 2, 2)),
  Conv3D: () => of((x, w) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, 1, 'same'), volume(), filter(2, 1, 3, 2, 1)),
  Cos: () => unary(tf.cos),
  Cosh: () => unary(tf.cosh),
  Cumsum: () => of((x) => x!.cumsum(1, true, true), numbers([2, 4])),
  DepthwiseConv2dNative: () =>
    of((x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, [1, 1], 'same'), image(), filter(3, 2, 2, 2)),
  Dilation2D: () => of((x, w) => tf.dilation2d(x as tf.Tensor4D, w as tf.Tensor3D, 1, 'same'), image(), filter(2, 2, 2)),
  Elu: () => unary(tf.elu),
  Erf: () => unary(tf.erf),
  Exp: () => unary(tf.exp),
  ExpandDims: () => of((x) => x!.expandDims(1).square(), numbers([2, 3])),
  Expm1: () => unary(tf.expm1),
  Floor: () => flat(tf.floor),
  FloorDiv: () => rough('tfjs gives the gradient of the exact quotient', (a, b) => tf.cast(a!.floorDiv(b!), 'float32').mul(a!), numbers([2, 3]), numbers([3], 0.5, 2, 2)), // prettier-ignore
  FusedBatchNorm: () =>
    of(
      (x, m, v, o, s) => tf.batchNorm(x as tf.Tensor4D, m as tf.Tensor1D, v as tf.Tensor1D, o as tf.Tensor1D, s as tf.Tensor1D, 0.01),
      image(),
      vector(-1, 1, 2),
      vector(0.5, 2, 3),
      vector(-1, 1, 4),
      vector(-1, 1, 5),
    ),
  GatherV2: () => of((x) => x!.gather(tf.tensor1d([2, 0, 2], 'int32'), 1), numbers([2, 3, 2])),
  GreaterEqual: () => rough(FLAT, (a, b) => tf.cast(a!.greaterEqual(b!), 'float32').mul(a!), numbers([2, 3]), numbers([2, 3], -1, 1, 2)),
  Identity: () => of((x) => tf.clone(x!).square(), numbers([2, 3])),
  IsFinite: () => flat((x) => tf.cast(tf.isFinite(x), 'float32')),
  IsInf: () => flat((x) => tf.cast(tf.isInf(x), 'float32')),
  IsNan: () => flat((x) => tf.cast(tf.isNaN(x), 'float32')),
  LRN: () => of((x) => tf.localResponseNormalization(x as tf.Tensor4D, 1, 1, 0.3, 0.75), numbers([1, 2, 2, 4])),
  LeakyRelu: () => unary((x) => tf.leakyRelu(x, 0.3)),
  Log: () => unary(tf.log, 0.4, 3),
  Log1p: () => unary(tf.log1p, -0.5, 3),
  LogSoftmax: () => rough('it is checked by the op itself', logSoftmaxBackwards, numbers([2, 4]), numbers([2, 4], -1, 1, 2)),
  Max: () => of((x) => x!.max(1), numbers([2, 4])),
  MaxPool: () => of((x) => tf.maxPool(x as tf.Tensor4D, [2, 2], [1, 2], 'valid'), image()),
  MaxPool3D: () => of((x) => tf.maxPool3d(x as tf.Tensor5D, 2, 1, 'valid'), volume()),
  Maximum: () => of((a, b) => a!.maximum(b!), numbers([2, 3]), numbers([2, 3], -2, 2, 2)),
  Mean: () => of((x) => x!.mean([0, 2]).square(), numbers([2, 3, 2])),
  Min: () => of((x) => x!.min(1), numbers([2, 4])),
  Minimum: () => of((a, b) => a!.minimum(b!), numbers([2, 3]), numbers([2, 3], -2, 2, 2)),
  MirrorPad: () => rough('tfjs slices the padding off instead of folding it back', (x) => tf.mirrorPad(x!, [[1, 1], [0, 2]], 'reflect'), numbers([3, 3])), // prettier-ignore
  Mod: () => of((a, b) => a!.mod(b!), numbers([2, 3], 0.3, 4), numbers([3], 0.7, 1.4, 2)),
  Multiply: () => of((a, b) => a!.mul(b!), numbers([2, 3]), numbers([3], -1, 1, 2)),
  Neg: () => unary((x) => tf.neg(x).square()),
  OneHot: () => rough(FLAT, (x) => tf.cast(tf.oneHot(tf.cast(x!, 'int32'), 3), 'float32').mul(x!.expandDims(-1)), numbers([4], 0, 2.9)),
  OnesLike: () => rough('the gradient through it is 0', (x) => tf.onesLike(x!).mul(x!), numbers([2, 3])),
  Pack: () => of((a, b) => tf.stack([a!, b!], 1).square(), numbers([2, 3]), numbers([2, 3], -1, 1, 2)),
  PadV2: () => of((x) => x!.pad([[1, 0], [2, 1]], 0.5).square(), numbers([2, 3])), // prettier-ignore
  Pow: () => of((a, b) => a!.pow(b!), numbers([2, 3], 0.4, 2), numbers([3], -1, 2, 2)),
  Prelu: () => of((x, a) => x!.prelu(a!), numbers([2, 3]), numbers([2, 3], 0.1, 0.8, 2)),
  Prod: () => of((x) => x!.prod(1), numbers([2, 3], 0.5, 2)),
  RealDiv: () => of((a, b) => a!.div(b!), numbers([2, 3]), numbers([3], 0.5, 2, 2)),
  Reciprocal: () => unary(tf.reciprocal, 0.5, 2),
  Relu: () => unary(tf.relu),
  Relu6: () => unary(tf.relu6, -3, 9),
  Reshape: () => of((x) => x!.reshape([3, 2]).square(), numbers([2, 3])),
  ResizeBilinear: () => of((x) => tf.image.resizeBilinear(x as tf.Tensor4D, [4, 4]), numbers([2, 2, 2, 3])),
  ResizeNearestNeighbor: () => of((x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [4, 4]), numbers([1, 2, 2, 3])),
  Reverse: () => of((x) => x!.reverse([0]).square(), numbers([3, 2])),
  Round: () => flat(tf.round),
  Rsqrt: () => unary(tf.rsqrt, 0.5, 3),
  Select: () => of((a, b) => tf.where(tf.tensor2d([1, 0, 1, 0, 0, 1], [2, 3], 'bool'), a!, b!), numbers([2, 3]), numbers([2, 3], -1, 1, 2)),
  Selu: () => unary(tf.selu),
  Sigmoid: () => unary(tf.sigmoid),
  Sign: () => flat(tf.sign),
  Sin: () => unary(tf.sin),
  Sinh: () => unary(tf.sinh),
  Slice: () => of((x) => x!.slice([0, 1], [2, 2]).square(), numbers([3, 4])),
  Softmax: () => of((x) => x!.softmax(), numbers([2, 4])),
  Softplus: () => unary(tf.softplus),
  SpaceToBatchND: () => of((x) => tf.spaceToBatchND(x!, [2, 1], [[1, 0], [0, 0]]), numbers([1, 3, 2, 2])), // prettier-ignore
  SplitV: () => of((x) => tf.addN(tf.split(x!, 2, 1).map((t, i) => t.mul(i + 1))).square(), numbers([2, 4])),
  Sqrt: () => unary(tf.sqrt, 0.4, 3),
  Square: () => unary(tf.square),
  SquaredDifference: () => of((a, b) => a!.squaredDifference(b!), numbers([2, 3]), numbers([2, 3], -1, 1, 2)),
  Step: () => flat((x) => tf.step(x.sub(0.5), 0.3)),
  Sub: () => of((a, b) => a!.sub(b!), numbers([2, 3]), numbers([3], -1, 1, 2)),
  Sum: () => of((x) => x!.sum([1]).square(), numbers([2, 3])),
  Tan: () => unary(tf.tan, -1.2, 1.2),
  Tanh: () => unary(tf.tanh),
  Tile: () => of((x) => x!.tile([2, 3]).square(), numbers([2, 2])),
  Transpose: () => of((x) => x!.transpose([1, 0, 2]).square(), numbers([2, 3, 2])),
  Unpack: () => of((x) => tf.unstack(x!, 1).reduce((a, b) => a.mul(2).add(b)).square(), numbers([2, 3])), // prettier-ignore
  UnsortedSegmentSum: () => of((x) => tf.unsortedSegmentSum(x!, tf.tensor1d([1, 0, 1], 'int32'), 2).square(), numbers([3, 2])),
  ZerosLike: () => rough('the gradient through it is 0', (x) => tf.zerosLike(x!).add(1).mul(x!), numbers([2, 3])),
};

/** No backend has the kernel BroadcastTo (tfjs tiles instead): its gradient, a function itself, is called as one. */
function broadcastBackwards(dy: tf.Tensor): tf.Tensor {
  const { gradFunc } = tf.getGradient('BroadcastTo');
  return gradFunc(dy, [], { inputShape: [3, 1], shape: [3, 4] } as unknown as tf.NamedAttrMap)['x']!();
}

/** tf.logSoftmax brings a gradient of its own and leaves the one of its kernel unused. */
function logSoftmaxBackwards(dy: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const { gradFunc } = tf.getGradient('LogSoftmax');
  return gradFunc(dy, [tf.logSoftmax(x)], { axis: -1 } as unknown as tf.NamedAttrMap)['logits']!();
}
