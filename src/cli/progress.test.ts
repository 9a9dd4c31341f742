import { describe, expect, it } from 'vitest';
import { Progress } from './progress.js';

function recorder(isTTY: boolean, columns = 200): { text: string; isTTY: boolean; columns: number; write(text: string): void } {
  return {
    text: '',
    isTTY,
    columns,
    write(text: string) {
      this.text += text;
    },
  };
}
const loop = { step: 50, stepsPerSecond: 25, output: { training_loss: 0.5, accuracy: 0.75 } };

describe('Progress', () => {
  it('writes plain lines where there is no terminal: step, logs, speed, time left', () => {
    const output = recorder(false);
    const progress = new Progress({ output, headline: 'experiment', trainSteps: 100, batchSize: 8, currentStep: () => 50 });
    progress.resumed({ path: 'run/ckpt-40' });
    progress.trainStart();
    progress.trainLoopEnd(loop);
    progress.evaluationEnd({ step: 50, seconds: 1.5, output: { accuracy: 0.8, steps_per_second: 3 } });
    progress.close();
    expect(output.text).toBe(
      'experiment\n\nGoing on from run/ckpt-40.\n' +
        'step  50/100  training_loss 0.5000  accuracy 0.7500  25 steps/s  200 samples/s  2.0 s left\n' +
        'step 50  evaluation: accuracy 0.8000  (1.5 s)\n',
    );
  });

  it('writes the headline before everything, also where a plain line about training comes first', () => {
    const output = recorder(false);
    const progress = new Progress({ output, headline: 'experiment', trainSteps: 100, batchSize: 0, currentStep: () => 0 });
    progress.trainLoopEnd(loop);
    progress.line('a line');
    expect(output.text).toMatch(/^experiment\n\nstep {2}50.*steps\/s {2}2\.0 s left\na line\n$/);
  });

  it('leaves out plain lines that follow too fast, but not the last one', () => {
    const output = recorder(false);
    const progress = new Progress({ output, trainSteps: 100, batchSize: 8, currentStep: () => 0, plainIntervalMilliseconds: 1e9 });
    for (const step of [10, 20, 30, 100]) progress.trainLoopEnd({ ...loop, step });
    expect(output.text.match(/step +\d+/g)).toEqual(['step  10', 'step 100']);
  });

  it('rewrites one line on a terminal and keeps what stays above it', () => {
    const output = recorder(true, 40);
    let step = 0;
    const progress = new Progress({ output, trainSteps: 100, batchSize: 8, currentStep: () => step });
    progress.trainStart();
    step = 50;
    progress.trainLoopEnd(loop);
    progress.checkpointSaved({ path: 'run/ckpt-50', step: 50 });
    progress.close();
    const erase = '\r\x1b[2K';
    const line = 'step  50/100  training_loss 0.5000  accu';
    expect(output.text).toBe(`${erase}step   0/100  compiling${erase}step 50  saved run/ckpt-50\n${erase}${line.slice(0, 39)}${erase}`);
  });
});
