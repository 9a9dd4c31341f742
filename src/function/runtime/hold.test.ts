import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { compile } from '../compile.js';
import { variableHolder } from './hold.js';

/** A counter in a variable of two elements: after n steps it holds [n, 10 n]. */
function counting() {
  const variable = tf.variable(tf.tensor1d([0, 0]), false);
  const step = compile(() => void variable.assign(variable.add(tf.tensor1d([1, 10]))), { name: 'count' });
  const hold = () => variableHolder.hold(() => variable.dataSync() as Float32Array);
  return { variable, step, hold };
}

describe('a held variable', () => {
  it('keeps its value in place while the steps go on, and gives its memory back', () => {
    const { variable, step, hold } = counting();
    step.runSync();
    const first = hold();
    expect([...first.memory]).toEqual([first.value.buffer]);
    for (let n = 0; n < 3; n++) step.runSync();
    expect([...first.value]).toEqual([1, 10]);
    expect([...variable.dataSync()]).toEqual([4, 40]);
    const { variableBytes } = step.memory();
    first.release();
    for (let round = 5; round < 9; round++) {
      const held = hold();
      step.runSync();
      step.runSync();
      expect([...held.value]).toEqual([round * 2 - 6, (round * 2 - 6) * 10]);
      held.release();
    }
    expect(step.memory().variableBytes).toBeLessThanOrEqual(variableBytes + 8); // the third buffer, now counted
  });

  it('is read in place, not copied: shared memory that other threads see', () => {
    const { step, hold } = counting();
    step.runSync();
    const [a, b] = [hold(), hold()];
    expect(a.value.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(a.value.buffer).toBe(b.value.buffer);
    a.release();
    step.runSync();
    step.runSync();
    expect([...b.value]).toEqual([1, 10]); // one hold is left
    b.release();
  });

  it('keeps its value when the variable is assigned eagerly, before or after a step', () => {
    const { variable, step, hold } = counting();
    step.runSync();
    const held = hold();
    variable.assign(tf.tensor1d([7, 7]));
    step.runSync();
    variable.assign(tf.tensor1d([8, 8]));
    step.runSync();
    expect([...held.value]).toEqual([1, 10]);
    expect([...variable.dataSync()]).toEqual([9, 18]);
    held.release();
    step.runSync();
    step.runSync();
    expect([...variable.dataSync()]).toEqual([11, 38]);
  });

  it('never lends memory that a clone shows', () => {
    const { variable, step, hold } = counting();
    step.runSync();
    const clone = variable.clone();
    const held = hold();
    step.runSync();
    held.release();
    for (let n = 0; n < 4; n++) {
      const again = hold();
      step.runSync();
      again.release();
    }
    expect([[...clone.dataSync()], [...variable.dataSync()]]).toEqual([[1, 10], [6, 60]]); // prettier-ignore
  });

  it('can have its third buffer made beforehand, once', () => {
    const { variable, step } = counting();
    step.runSync();
    const reserve = () => variableHolder.reserve(() => variable.dataSync());
    expect(reserve().map((memory) => memory.byteLength)).toEqual([8]);
    expect(reserve()).toEqual([]);
    const held = variableHolder.hold(() => variable.dataSync());
    step.runSync();
    expect(reserve().length).toBe(1); // it was used
    held.release();
  });

  it('is let go when reading fails; afterwards readers get copies again', () => {
    const { variable, step } = counting();
    step.runSync();
    const failing = () => {
      variable.dataSync();
      throw new Error('unreadable');
    };
    expect(() => variableHolder.hold(failing)).toThrow('unreadable');
    expect(variable.dataSync()).not.toBe(variable.dataSync());
    expect(variable.dataSync().buffer).toBeInstanceOf(ArrayBuffer);
  });
});
