import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '..');

/** TypeScript blocks of a Markdown text. */
function codeBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!);
}

/** How a package of a user's makes `getExperimentConfig` know the type of its experiment. */
const ownExperiment = `
import { experimentConfig, getExperimentConfig, registerExperiment, taskConfig } from 'orbit-ts';
const spamTask = taskConfig({ units: 3 }, { name: 'spam' });
const spam = registerExperiment('spam', () => experimentConfig({ task: spamTask({ units: 4 }) }));
declare module 'orbit-ts' {
  interface Experiments { spam: ReturnType<typeof spam.config> }
}
const units: number = getExperimentConfig('spam').task.units + spam.config().task.units;
// @ts-expect-error an experiment that is not declared has the base fields only
getExperimentConfig('ham').task.units;
console.log(units);
`;

/** README and the pages of docs/, with the blocks of each. */
function pages(): { name: string; blocks: string[] }[] {
  const docs = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  const names = ['README.md', ...docs.map((name) => `docs/${name}`)];
  return names.map((name) => ({ name, blocks: codeBlocks(readFileSync(path.join(root, name), 'utf8')) }));
}

describe('README and docs', () => {
  it('have code that type-checks against the package', () => {
    const found = pages();
    expect(found[0]!.blocks.length).toBeGreaterThanOrEqual(2);
    const blocks = [...found.flatMap(({ name, blocks: own }) => own.map((text, i) => ({ name: `${name} ${i + 1}`, text })))];
    blocks.push({ name: 'own experiment', text: ownExperiment });
    const directory = mkdtempSync(path.join(root, 'tests/.readme-'));
    try {
      const files = blocks.map(({ text }, i) => {
        const file = path.join(directory, `block-${i}.mts`);
        writeFileSync(file, `${text}export {};\n`);
        return file;
      });
      const program = ts.createProgram(files, {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        lib: ['lib.es2023.d.ts'],
        types: ['node'],
        typeRoots: [path.join(root, 'node_modules/@types')],
        strict: true,
        skipLibCheck: true,
        noEmit: true,
        paths: {
          'orbit-ts': [path.join(root, 'src/index.ts')],
          'orbit-ts/tf': [path.join(root, 'dist/tf/index.d.ts')],
          'orbit-ts/*': [path.join(root, 'src/*/index.ts')],
        },
      });
      const wrong = files.flatMap((file, i) =>
        ts
          .getPreEmitDiagnostics(program, program.getSourceFile(file))
          .map((d) => `block ${blocks[i]!.name}: ${ts.flattenDiagnosticMessageText(d.messageText, '\n')}`),
      );
      expect(wrong).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }, 120_000);
});
