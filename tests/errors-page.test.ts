/** docs/errors.md shows what common mistakes print; it is written by making them: `npm run docs`. */
import { beforeAll, describe, expect, it } from 'vitest';
import { chapters } from './mistakes/index.js';
import { defineExample, example, make, type Mistake } from './mistakes/mistake.js';

const pages: string[] = [];

function shown({ title, files = {}, command, code, note }: Mistake, printed: string): string {
  const blocks = Object.entries(files).map(([file, text]) =>
    typeof text === 'string' ? `\`${file}\`:\n\n${fence(languageOf(file), text)}` : '',
  );
  if (command !== undefined) blocks.push(fence('sh', `orbit ${command}`));
  if (code !== undefined) blocks.push(fence('js', code));
  if (note !== undefined) blocks.push(note);
  blocks.push(fence('text', printed));
  return [`### ${title}`, ...blocks.filter((block) => block !== '')].join('\n\n');
}

const fence = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
const languageOf = (file: string): string => (file.endsWith('.json') ? 'json' : /\.[mc]?[jt]s$/.test(file) ? 'js' : 'yaml');

beforeAll(defineExample);

describe.each(chapters)('$title', ({ title, mistakes }) => {
  beforeAll(() => void pages.push(`## ${title}`));
  it.each(mistakes)('$title', async (mistake) => {
    const printed = await make(mistake);
    pages.push(shown(mistake, printed));
    expect(printed).not.toMatch(/^\s+at /m);
    expect(printed).not.toMatch(/undefined|\[object|NaN is not|Cannot read prop/);
  });
});

describe('docs/errors.md', () => {
  it('is what these mistakes print (`npm run docs` writes it anew)', async () => {
    const mistakes = chapters.flatMap((chapter) => chapter.mistakes);
    expect(mistakes.length).toBeGreaterThanOrEqual(40);
    const page = `# Mistakes and what they print

Every entry of this page was made by making the mistake. Errors are printed on standard error; wrong use and wrong configs end with status 2, failed runs with 1;
\`--verbose\` adds the stack trace. In code, every error thrown on purpose extends \`OrbitError\`.

The examples in code share this task, in which \`train(TaskClass, override, options)\` trains it for four steps:

${fence('js', example)}

${pages.join('\n\n')}
`;
    await expect(page).toMatchFileSnapshot('../docs/errors.md');
  });
});
