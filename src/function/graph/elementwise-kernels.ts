/** Kernels that treat each element alone. */

/** Kernels of one input. */
const UNARY =
  'Identity Cast Abs Neg Square Sqrt Rsqrt Reciprocal Exp Expm1 Log Log1p Sigmoid Tanh Relu Relu6 LeakyRelu Elu Selu Softplus Sign Step Erf ClipByValue LogicalNot IsNan';

/** Kernels whose operands broadcast. */
const BINARY =
  'Add Sub Multiply RealDiv Maximum Minimum SquaredDifference Pow Greater GreaterEqual Less LessEqual Equal NotEqual LogicalAnd LogicalOr';

/** Elementwise kernels whose operands, where there are several, broadcast. */
export const BROADCASTING: ReadonlySet<string> = new Set(`${UNARY} ${BINARY}`.split(' '));

/** All elementwise kernels, those included whose operands must have one shape. */
export const ELEMENTWISE: ReadonlySet<string> = new Set([...BROADCASTING, 'EluGrad', 'OnesLike', 'ZerosLike', 'orbit.ReluGrad']);
