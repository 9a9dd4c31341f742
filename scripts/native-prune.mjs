// Leaves oneDNN's source with what the native kernels use: convolutions and copies of 32-bit floats. Its build options
// choose primitives and instruction sets, not element types; the lists of implementations do, and the linker drops what no
// list names. Usage: native-prune.mjs <source folder>
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isMain } from './rooms.mjs';

/** Rewrites a file; fails where nothing changed, because the source is then another version than this was written for. */
function edit(folder, file, change) {
  const at = path.join(folder, file);
  const before = readFileSync(at, 'utf8');
  const after = change(before);
  if (after !== before) writeFileSync(at, after);
  return after !== before;
}

/** Removes the entries of the map of convolutions whose element types are not 32-bit floats. */
function floatConvolutions(text) {
  const out = [];
  let skipping = false;
  for (const line of text.split('\n')) {
    const key = /^ {8}\{\{(?:forward|backward_data|backward_weights), "([^"]*)"\}/.exec(line)?.[1];
    if (key !== undefined) skipping = !key.split(':').every((type) => ['f32', 'xf', '*'].includes(type));
    // Images are channels last here, and processors without AVX2 take the portable kernels.
    if (!skipping && !/jit_uni_ncsp_|jit_sse41_(?:1x1_)?convolution/.test(line)) out.push(line);
    if (skipping && /^ {8}\}\)?\},/.test(line)) skipping = false;
  }
  return out.join('\n');
}

/** Removes the lists of copies from or to other types. */
const floatCopies = (text) =>
  text
    .split('\n')
    .filter((line) => !/^ {12}\{\{\w+, [\w:]+, 0\}, &\w+_impl_list_map\(\)\},$/.test(line) || line.includes('{f32, f32, 0}'))
    .join('\n');

/** Leaves out copies into forms that only matrix products of oneDNN take. */
const plainCopies = (text) =>
  text
    .split('\n')
    .filter((line) => !line.includes('x64::brgemm_matmul_copy_reorder_t'))
    .join('\n');

/** Edits the lists in a source folder; a second time changes nothing. */
export function pruneOneDnn(folder) {
  return [
    edit(folder, 'src/cpu/cpu_convolution_list.cpp', floatConvolutions),
    edit(folder, 'src/cpu/reorder/cpu_reorder.cpp', floatCopies),
    edit(folder, 'src/cpu/reorder/cpu_reorder_regular_f32_f32.cpp', plainCopies),
  ].some(Boolean);
}

if (isMain(import.meta)) console.log(pruneOneDnn(process.argv[2]) ? 'pruned' : 'nothing to prune');
