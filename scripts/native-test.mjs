// Runs the tests of the native kernels as smaller processors would: with oneDNN's cap on the instruction set, which the
// other kernels heed as well.
import { spawnSync } from 'node:child_process';
import { root } from './rooms.mjs';

for (const cap of ['SSE41', 'AVX2', 'DEFAULT']) {
  console.log(`instruction set: ${cap === 'DEFAULT' ? 'the best of this processor' : `at most ${cap}`}`);
  const { status } = spawnSync(
    'npx',
    [
      'vitest',
      'run',
      'src/function/native.test.ts',
      'src/function/native-recurrence.test.ts',
      'src/function/attention.test.ts',
      'src/function/transposed-product.test.ts',
      'src/optimization/native-updates.test.ts',
      '--reporter=dot',
    ],
    {
      cwd: root,
      env: { ...process.env, ONEDNN_MAX_CPU_ISA: cap },
      stdio: 'inherit',
      shell: process.platform === 'win32',
    },
  );
  if (status !== 0) process.exitCode = 1;
}
