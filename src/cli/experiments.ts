/** `orbit experiments`: the registered names. */
import { importModules } from './imports.js';

/** Prints the names of all experiments, one a line, those of `--import` modules included. */
export async function listExperiments(flags: { import?: string[] }): Promise<number> {
  const { experimentNames } = await import('../experiment/registry.js');
  await import('../tasks/index.js');
  await importModules(flags.import ?? []);
  for (const name of experimentNames()) process.stdout.write(`${name}\n`);
  return 0;
}
