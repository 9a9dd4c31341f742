import * as tf from '#tf';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TraceError, UsageError } from '../errors.js';
import { setNoticeHandler } from '../notice.js';
import { compile } from './index.js';

afterEach(() => {
  vi.restoreAllMocks();
  setNoticeHandler();
});

describe('a signature', () => {
  it('is new for each shape, dtype, structure, number, string and flag, and for each other object', () => {
    const f = compile((x: unknown) => (x instanceof tf.Tensor ? x.add(x) : undefined));
    const model = {};
    class Thing {}
    const signatures: unknown[] = [
      tf.zeros([2]),
      tf.zeros([2, 1]),
      tf.zeros([2], 'int32'),
      tf.zeros([2], 'bool'),
      [tf.zeros([2])],
      [[tf.zeros([2])]],
      { x: tf.zeros([2]) },
      { y: tf.zeros([2]) },
      { x: tf.zeros([2]), y: tf.zeros([2]) },
      1,
      2,
      '1',
      true,
      false,
      null,
      undefined,
      NaN,
      -0.5,
      10n,
      [],
      model,
      [model],
      new Thing(),
      new Thing(),
      Math.sin,
    ];
    for (const round of [1, 2]) {
      signatures.forEach((x, i) => {
        f.runSync(x as never);
        expect(f.traceCount, `round ${round}, signature ${i}`).toBe(round === 1 ? i + 1 : signatures.length);
      });
    }
  });

  it('decides what JavaScript chooses, such as training or inference', () => {
    const layer = tf.layers.dropout({ rate: 0.5 });
    const f = compile((x: tf.Tensor, training: boolean) => layer.apply(x, { training }) as tf.Tensor);
    const zeros = (training: boolean): number => f.runSync(tf.ones([200]), training).dataSync().filter((v) => v === 0).length; // prettier-ignore
    expect([zeros(false), zeros(true) > 50, zeros(false)]).toEqual([0, true, 0]);
    expect(f.traceCount).toBe(2);
  });

  it('holds nested structures, which come back as they went in', () => {
    type Batch = { image: tf.Tensor; more: [tf.Tensor, { mask: tf.Tensor; name: string }] };
    const f = compile((b: Batch) => ({ out: [b.more[1].mask, { sum: b.image.add(b.more[0]), name: b.more[1].name }], same: b, n: 3, none: null })); // prettier-ignore
    const batch: Batch = { image: tf.ones([2]), more: [tf.ones([2]).mul(4), { mask: tf.tensor1d([1, 0], 'bool'), name: 'a' }] };
    const got = f.runSync(batch as never);
    expect([...(got.out[1] as { sum: tf.Tensor }).sum.dataSync()]).toEqual([5, 5]);
    expect((got.out[0] as tf.Tensor).dtype).toBe('bool');
    expect([...got.same.more[1].mask.dataSync()]).toEqual([1, 0]);
    expect([(got.out[1] as { name: string }).name, got.n, got.none, got.same.more[1].name]).toEqual(['a', 3, null, 'a']);
  });

  it('is kept with others up to a limit, beyond which the one not used for longest is dropped', () => {
    const f = compile((x: tf.Tensor) => x.add(1), { cacheSize: 2 });
    const run = (n: number): number => {
      f.runSync(tf.zeros([n]));
      return f.traceCount;
    };
    expect([run(1), run(2), run(1), run(3), run(1), run(2)]).toEqual([1, 2, 2, 3, 3, 4]);
    const { bufferBytes } = f.memory();
    for (let n = 4; n < 9; n++) run(n);
    expect(f.memory().bufferBytes).toBeLessThan(bufferBytes * 6);
  });

  it('that keeps changing is warned of once, with the argument that changes', () => {
    const warnings: string[] = [];
    setNoticeHandler((text) => void warnings.push(text));
    const f = compile((b: { x: tf.Tensor; scale: number }, on: boolean) => b.x.mul(on ? b.scale : 1), { name: 'scaled' });
    for (let i = 0; i < 9; i++) f.runSync({ x: tf.zeros([2]), scale: i }, true);
    const about = warnings.filter((w) => w.includes('scaled'));
    expect(about).toHaveLength(1);
    expect(about[0]).toMatch(/"scaled" was traced 6 times.*argument 1\.scale \(number:2, number:3, number:4, number:5\)\. /);
    expect(about[0]).not.toMatch(/argument 1\.x|argument 2/);
  });

  it('that stays while an optimizer changes is warned of as such', () => {
    const warnings: string[] = [];
    setNoticeHandler((text) => void warnings.push(text));
    const v = tf.variable(tf.scalar(1));
    const optimizer = tf.train.sgd(0.1) as tf.SGDOptimizer & { setLearningRate(x: number): void };
    const step = compile(() => optimizer.minimize(() => v.square() as tf.Scalar, true, [v]), { name: 'decayed' });
    for (let i = 0; i < 6; i++) {
      optimizer.setLearningRate(0.1 / (i + 1));
      step.runSync();
    }
    expect(warnings.filter((w) => w.includes('decayed'))[0]).toMatch(/a number of an optimizer that it uses did/);
  });
});

describe('host fields of the optimizers of tf.train', () => {
  const v = (): tf.Variable => tf.variable(tf.tensor1d([1, -2]));
  const makers: Record<string, () => tf.Optimizer> = {
    sgd: () => tf.train.sgd(0.1),
    momentum: () => tf.train.momentum(0.1, 0.5),
    adagrad: () => tf.train.adagrad(0.1),
    adadelta: () => tf.train.adadelta(0.1),
    adam: () => tf.train.adam(0.1),
    adamax: () => tf.train.adamax(0.1),
    rmsprop: () => tf.train.rmsprop(0.1, 0.9, 0.1, 1e-7, true),
  };
  for (const [name, make] of Object.entries(makers)) {
    it(`are seen when they change: ${name}`, () => {
      const run = (eager: boolean): number[] => {
        const [variable, optimizer] = [v(), make()];
        const loss = (): tf.Scalar => variable.square().sum();
        const step = compile(() => optimizer.minimize(loss, true, [variable]), { eager });
        const seen: number[] = [];
        for (let i = 0; i < 4; i++) {
          if (i === 2) (optimizer as unknown as { learningRate: number }).learningRate = 0.03;
          seen.push(step.runSync()!.dataSync()[0]!);
        }
        if (!eager) expect(step.traceCount).toBe(2);
        return [...seen, ...variable.dataSync()];
      };
      const expected = run(true);
      run(false).forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 5));
    });
  }
});

describe('reading a value while a function is traced', () => {
  const reads: Record<string, (x: tf.Tensor) => unknown> = {
    dataSync: (x) => x.dataSync(),
    arraySync: (x) => x.arraySync(),
    bufferSync: (x) => x.bufferSync(),
    print: (x) => x.print(),
    'a template text': (x) => `${x}`,
    'data, not awaited': (x) => void x.data(),
    'array, not awaited': (x) => void x.array(),
    buffer: (x) => void x.buffer(),
    'data, awaited': async (x) => (await x.data())[0],
    'a comparison': (x) => ((x as unknown as number) > 0 ? 1 : 2),
    'an operator': (x) => (x as unknown as number) * 2,
  };
  for (const [name, read] of Object.entries(reads)) {
    it(`is an error that says what to do instead: ${name}`, async () => {
      const f = compile((x: tf.Tensor) => {
        read(x.add(1));
        return x;
      });
      expect(() => f.runSync(tf.scalar(1))).toThrow(TraceError);
      await expect(f(tf.scalar(1))).rejects.toThrow(/run eagerly|Use the ops/);
    });
  }

  it('is allowed for what is made of constants alone', () => {
    const f = compile((x: tf.Tensor) => x.mul(tf.tensor1d([1, 2]).sum().dataSync()[0]!));
    expect(f.runSync(tf.scalar(2)).dataSync()[0]).toBe(6);
  });

  it('of an asynchronous function is an error that leaves no rejection behind', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): number => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const f = compile(async (x: tf.Tensor) => {
      await Promise.resolve();
      throw new Error('later');
      return x;
    });
    expect(() => f.runSync(tf.scalar(1))).toThrow(/returned a promise/);
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('leaves tensors outside as they were', () => {
    expect(() => compile((x: tf.Tensor) => (x as unknown as number) > 0).runSync(tf.scalar(1))).toThrow(TraceError);
    expect(Number.isNaN(Number(tf.scalar(1)))).toBe(true);
  });
});

describe('what a trace cannot keep', () => {
  it('a tensor that leaves it by the side is refused when it is used', () => {
    let kept: tf.Tensor | undefined;
    compile((x: tf.Tensor) => {
      kept = tf.keep(x.add(1));
      return x;
    }).runSync(tf.scalar(1));
    expect(() => kept!.dataSync()).toThrow(TraceError);
    expect(() => kept!.add(1)).toThrow();
  });

  it('a tensor disposed before the first call is named', () => {
    const gone = tf.scalar(2);
    gone.dispose();
    expect(() => compile((x: tf.Tensor) => x.mul(gone)).runSync(tf.scalar(1))).toThrow(/disposed/);
  });

  it('a compiled function called inside another is refused', () => {
    const inner = compile((x: tf.Tensor) => x.add(1), { name: 'inner' });
    expect(() => compile((x: tf.Tensor) => inner.runSync(x as never), { name: 'outer' }).runSync(tf.scalar(1))).toThrow(/inner.*outer/s);
  });

  it('arguments that are neither data nor objects are refused', () => {
    expect(() => compile((x: unknown) => x).runSync(Symbol('x') as never)).toThrow(UsageError);
    expect(() => compile((x: tf.Tensor) => x).runSync(tf.tensor1d(['a', 'b']) as never)).toThrow(/dtype string/);
  });
});
