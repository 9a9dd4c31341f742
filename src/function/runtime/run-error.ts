/** What went wrong in a run, in terms of the user's function instead of ONNX Runtime's nodes. */
import { OrbitError } from '../../errors.js';

/** Labels of nodes that belong to no single kernel. */
const NO_KERNEL = new Set(['shared', 'results', '']);

/**
 * An error that names the tfjs kernel whose node failed and the compiled function.
 *
 * @param cause ONNX Runtime's own error; kept as the cause.
 * @param name the compiled function's name.
 * @param failures by node name: what it means when that node fails.
 */
export function runError(cause: Error, name: string, failures: ReadonlyMap<string, string>): OrbitError {
  const found = /while running (\S+) node\. Name:'([^']*)' Status Message: (.*)$/s.exec(cause.message);
  const where = `\n  in the compiled function "${name}"`;
  if (found === null) return new OrbitError(`${cause.message}${where}`, { cause });
  const [, op, label, message] = found as unknown as [string, string, string, string];
  const kernel = label.split('/')[0]!;
  const who = NO_KERNEL.has(kernel) ? `ONNX Runtime's operator ${op}` : kernel;
  return new OrbitError(`${who}: ${failures.get(label) ?? explain(message)}${where}`, { cause });
}

/** Index errors in tfjs's words; anything else as ONNX Runtime says it, without the place in its source code. */
function explain(message: string): string {
  const bounds = /idx=(-?\d+) must be within the inclusive range \[-?\d+,(-?\d+)\]/.exec(message);
  if (bounds !== null) return `the index value ${signed(bounds[1]!)} is not in [0, ${bounds[2]!}]`;
  const index = /indice = (-?\d+)/.exec(message);
  if (index !== null) return `the index value ${signed(index[1]!)} is out of range`;
  return message.trim().replace(/^\S+\.(?:cc|h|hpp):\d+ .*\) (?:const )?(?:\[with [^\]]*\] )?/, '');
}

/** Lowerings pass negative int32 indices as uint32, so that ONNX Runtime refuses them as tfjs does. */
function signed(text: string): number {
  const value = Number(text);
  return value >= 2 ** 31 && value < 2 ** 32 ? value - 2 ** 32 : value;
}
