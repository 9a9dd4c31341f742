// The machine and the versions that a figure belongs to.
import { readFileSync } from 'node:fs';
import os from 'node:os';

const VECTOR_SETS = [
  ['avx512f', 'AVX-512'],
  ['avx2', 'AVX2'],
  ['avx', 'AVX'],
  ['asimd', 'NEON'],
];

/** Processor, cores, memory, vector set (Linux only) and versions. */
export function describeMachine() {
  const cpus = os.cpus();
  let flags = '';
  let model = cpus[0]?.model ?? 'unknown';
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    flags = ` ${/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1] ?? ''} `;
    const id = (key) => new RegExp(`^${key}\\s*:\\s*(\\S+)`, 'm').exec(text)?.[1];
    if (id('cpu family') !== undefined) model += ` (family ${id('cpu family')}, model ${id('model')})`;
  } catch {
    // not Linux: the vector set stays unknown
  }
  return {
    cpu: model,
    cores: cpus.length,
    vectorSet: VECTOR_SETS.find(([flag]) => flags.includes(` ${flag} `))?.[1] ?? 'unknown',
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.arch()} ${os.release()}`,
    node: process.version,
    loadAverageAtStart: os.loadavg().map((x) => Math.round(x * 100) / 100),
  };
}

/** Whether other work ran on the machine when the benchmark started. */
export function isBusy({ loadAverageAtStart: [lastMinute] }) {
  return lastMinute > 0.3;
}
