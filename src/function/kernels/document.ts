/** Writes docs/ops.md from the kernels' declarations. */
import { kernelDefinitions, type KernelDefinition } from './define.js';
import { unsupportedKernels } from './unsupported.js';

const INTRODUCTION = `# Kernels that compiled functions can use

Every op of TensorFlow.js calls one or more *kernels*. A compiled function runs the kernels of the first table natively; one of
the second table ends in a \`TraceError\` that says why. This page is written from the compiler's own table
(\`npx vitest run src/function/kernels/document.test.ts -u\`).

Unless a limit says otherwise, a kernel takes what TensorFlow.js's \`cpu\` backend takes of float32, int32 and bool (images:
float32), broadcasts alike, and gives the same shapes, dtypes, NaN and results for tensors without elements. Strings and complex
numbers cannot be compiled. Results differ from eager ones

- in the last place: sums run in another order, and functions such as \`tan\` and \`exp\` round differently;
- where integer sums or products leave the range of int32;
- in truth values, which are always 0 or 1 (eager \`true + true\` is a "true" of 2).

Checks of values, such as an index out of range, happen when the function runs; the error names kernel and function.
`;

/** The text of docs/ops.md. */
export function kernelDocument(): string {
  const kernels = kernelDefinitions().filter((k) => !k.kernel.startsWith('orbit.'));
  const own = kernelDefinitions().filter((k) => k.kernel.startsWith('orbit.'));
  const form = (k: KernelDefinition): string[] => [`\`${k.kernel}\``, k.form, k.limits ?? ''];
  return [
    INTRODUCTION,
    `## Compiled (${kernels.length})\n`,
    table(['kernel', 'ONNX form', 'limits'], kernels.map(form)),
    "Written by the compiler's own passes, not by TensorFlow.js:\n",
    table(['kernel', 'ONNX form', 'limits'], own.map(form)),
    '## Not compiled\n',
    table(
      ['kernel', 'because'],
      unsupportedKernels()
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([kernel, reason]) => [`\`${kernel}\``, reason]),
    ),
  ].join('\n');
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('');
}
