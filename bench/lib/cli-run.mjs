// `orbit train --experiment=mnist_mlp` as a user runs it.
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nodeCommand, ROOT } from './contenders.mjs';
import { PeerError, runToEnd } from './process.mjs';

/**
 * Runs the command line in an empty model directory.
 * @param {string} mode a mode of the runner
 * @param {Record<string, unknown>} overrides config fields by dotted path
 * @returns wall time of the process and the run's `result.json`
 */
export async function runMnistMlp(context, mode, overrides) {
  const main = path.join(ROOT, JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')).bin.orbit);
  if (!existsSync(main)) throw new PeerError(`${path.relative(ROOT, main)} is not built (npm run build)`);
  const modelDir = mkdtempSync(path.join(context.scratch, 'orbit-'));
  const text = Object.entries(overrides)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const args = [main, 'train', '--experiment=mnist_mlp', `--mode=${mode}`, `--model_dir=${modelDir}`, `--params_override=${text}`];
  const { wallMs } = await runToEnd({ ...nodeCommand(context, args), cwd: ROOT });
  return { wallMs, result: JSON.parse(readFileSync(path.join(modelDir, 'result.json'), 'utf8')) };
}
