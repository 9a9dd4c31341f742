import * as tf from '#tf';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { UsageError } from '../errors.js';
import { compile, nameScope, setCompileDefaults } from './index.js';
import { nativeHandles } from './runtime/handles.js';

/** A model of two layers and its training step. */
function smallStep(): { step: ReturnType<typeof compile<[tf.Tensor2D, tf.Tensor2D], tf.Scalar | null>>; args: [tf.Tensor2D, tf.Tensor2D] } {
  const model = tf.sequential({
    name: 'net',
    layers: [
      tf.layers.dense({ name: 'hidden', units: 5, inputShape: [4], activation: 'tanh' }),
      tf.layers.dense({ name: 'out', units: 3 }),
    ],
  });
  const optimizer = tf.train.momentum(0.1, 0.9);
  const step = compile(
    (x: tf.Tensor2D, y: tf.Tensor2D) =>
      optimizer.minimize(
        () =>
          nameScope('loss', () =>
            tf.losses.meanSquaredError(
              y,
              nameScope('model', () => model.apply(x) as tf.Tensor),
            ),
          ),
        true,
      ),
    { name: 'train_step' },
  );
  return { step, args: [tf.ones([2, 4]), tf.zeros([2, 3])] };
}

/** The comment of every operation of a graph's text. */
const comments = (text: string): string[] =>
  text.split('\n').flatMap((line) => (line.includes(' = ') ? [line.split('  # ')[1] ?? ''] : []));

describe('step.graph', () => {
  it('shows shapes, the part of the model and the source line of every operation', () => {
    const { step, args } = smallStep();
    const text = step.graph(...args);
    expect(text).toMatch(/^train_step\(%0: float32\[2,4\], %1: float32\[2,3\]\)\n/);
    const parts = comments(text).map((comment) => {
      expect(comment).toMatch(/^[^,]+, src\/function\/inspect\.test\.ts:\d+$/);
      return comment.split(',')[0];
    });
    expect([...new Set(parts)].sort()).toEqual([
      'gradient of loss',
      'gradient of loss/model/net/hidden',
      'gradient of loss/model/net/out',
      'loss',
      'loss/model/net/hidden',
      'loss/model/net/out',
      'optimizer',
    ]);
  });

  it('names the line of the operation, and that of the forward operation for its gradient', () => {
    const line = (n: number): string => new Error().stack!.split('\n')[2]!.replace(/.*:(\d+):\d+\)?$/, (_, at) => String(Number(at) + n));
    const at = line(2);
    const f = compile(
      (x: tf.Tensor1D) => tf.grad((t) => tf.sin(t))(x), // this line
    );
    const lines = comments(f.graph(tf.ones([2])));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.every((comment) => comment.endsWith(`inspect.test.ts:${at}`))).toBe(true);
  });

  it('leaves lines and layers out when asked to', () => {
    const { step, args } = smallStep();
    expect(comments(step.graphWith({ lines: false }, ...args))).toContain('loss/model/net/hidden');
    expect(comments(step.graphWith({ layers: false }, ...args)).every((c) => /^src\/function\/inspect\.test\.ts:\d+$/.test(c))).toBe(true);
    expect(step.graphWith({ lines: false, layers: false }, ...args)).not.toContain('#');
  });

  it('gives layers back as they were, also when the function throws', () => {
    const { apply } = tf.layers.Layer.prototype;
    const engine = tf.engine();
    const bad = compile(() => nameScope('part', () => expect.fail('from the user')));
    expect(() => bad.runSync()).toThrow('from the user');
    expect(tf.layers.Layer.prototype.apply).toBe(apply);
    expect(Object.hasOwn(engine, 'addTapeNode')).toBe(false);
    const good = compile((x: tf.Tensor) => x.neg());
    expect(comments(good.graphWith({ lines: false }, tf.ones([2])))).toEqual(['']);
  });
});

describe('step.profile', () => {
  it('tells the time by operation and by part of the model, and both add up to the whole', () => {
    const { step, args } = smallStep();
    const { rows, layers, ms, ...profile } = step.profile(...args);
    expect(layers.map((l) => l.layer).sort()).toEqual(expect.arrayContaining(['loss/model/net/hidden', 'loss/model/net/out', 'optimizer']));
    for (const table of [rows, layers]) {
      expect(table.reduce((sum, row) => sum + row.ms, 0)).toBeCloseTo(ms, 6);
      expect(table.reduce((sum, row) => sum + row.share, 0)).toBeCloseTo(1, 6);
      expect(table.map((row) => row.ms)).toEqual(table.map((row) => row.ms).sort((a, b) => b - a));
    }
    const nodes = (table: readonly { nodes: number }[]): number => table.reduce((sum, row) => sum + row.nodes, 0);
    expect(nodes(rows)).toBe(nodes(layers));
    const text = `${profile.toString()}`;
    expect(text).toMatch(/^kernel +op +nodes +ms +share\n/);
    expect(text).toMatch(/\nlayer +nodes +ms +share\n/);
    expect(text).toMatch(/\noptimizer +\d+ +\d+\.\d{3} +\d+\.\d %/);
  });

  it('counts the time inside a loop once', () => {
    const lstm = tf.layers.lstm({ units: 3, inputShape: [12, 2] });
    const step = compile((x: tf.Tensor) => lstm.apply(x) as tf.Tensor);
    const { rows, ms } = step.profile(tf.ones([2, 12, 2]));
    expect(rows.every((row) => row.ms >= 0)).toBe(true);
    expect(rows.reduce((sum, row) => sum + row.ms, 0)).toBeCloseTo(ms, 6);
  });

  it('leaves no native handle behind', () => {
    const { step, args } = smallStep();
    step.runSync(...args);
    const before = nativeHandles();
    step.profile(...args);
    expect(nativeHandles()).toEqual(before);
  });
});

describe('step.memory', () => {
  it('counts variables twice, arguments and results once, and the arena of intermediate values', () => {
    const v = tf.variable(tf.zeros([10]));
    const step = compile((x: tf.Tensor2D) => {
      v.assign(v.add(1));
      return x.matMul(x).exp().matMul(x);
    });
    expect(step.memory()).toEqual({ variableBytes: 0, bufferBytes: 0, arenaBytes: 0, nativeBytes: 0 });
    step.runSync(tf.zeros([50, 50]));
    const { variableBytes, bufferBytes, arenaBytes, nativeBytes } = step.memory();
    expect(variableBytes).toBe(2 * 4 * 10);
    expect(bufferBytes).toBe(2 * 4 * 50 * 50);
    expect(arenaBytes).toBeGreaterThanOrEqual(2 * 4 * 50 * 50);
    expect(nativeBytes).toBe(variableBytes + bufferBytes + arenaBytes!);
    step.dispose();
    expect(step.memory().nativeBytes).toBe(0);
  });
});

describe('options of compile', () => {
  afterEach(() => vi.unstubAllEnvs());
  const f = (x: tf.Tensor): tf.Tensor => x.add(1).mul(2);
  const bad =
    (options: object): (() => unknown) =>
    () =>
      compile(f, options);

  it.each(['disabled', 'basic', 'extended', 'all'] as const)('graphOptimizationLevel "%s" gives the same numbers', (level) => {
    const step = compile(f, { graphOptimizationLevel: level, threads: 1 });
    expect([...step.runSync(tf.tensor1d([1, 2])).dataSync()]).toEqual([4, 6]);
    step.dispose();
  });

  it('refuses what it does not know, and names what there is', () => {
    expect(bad({ graphOptimisationLevel: 'all' })).toThrow(/no option "graphOptimisationLevel"; there are name, eager, device/);
    expect(bad({ graphOptimizationLevel: 'most' })).toThrow(/graphOptimizationLevel is "most"; it can be disabled, basic, extended, all/);
    expect(bad({ device: 'webgpu' })).toThrow(/the device "webgpu" is not available; only "cpu" is/);
    expect(bad({ device: 'cuda' })).toThrow(UsageError);
    expect(bad({ threads: 0 })).toThrow(/threads must be a whole number of at least 1, but is 0/);
    expect(bad({ cacheSize: 1.5 })).toThrow(/cacheSize must be a whole number/);
    expect(bad({ disabledPasses: ['deadcode'] })).toThrow(/no pass "deadcode"; there are deadCode/);
  });

  it('takes the level from the defaults of the process', () => {
    expect(() => setCompileDefaults({ graphOptimizationLevel: 'most' as never })).toThrow(/graphOptimizationLevel is "most"/);
    setCompileDefaults({ graphOptimizationLevel: 'disabled' });
    // With the graph left as it is the profile shows this compiler's own nodes, and no fused one.
    const conv = compile((x: tf.Tensor4D) => tf.relu(tf.conv2d(x, tf.ones([2, 2, 1, 1]) as tf.Tensor4D, 1, 'valid')), {
      nativeKernels: false,
    });
    const ops = (): string[] => conv.profile(tf.ones([1, 4, 4, 1])).rows.map((r) => r.op);
    expect(ops()).not.toContain('FusedConv');
    setCompileDefaults({});
  });

  it('takes the level from the environment, and refuses an unknown one there too', () => {
    vi.stubEnv('ORBIT_GRAPH_OPTIMIZATION_LEVEL', 'basic');
    expect([
      ...compile(f)
        .runSync(tf.tensor1d([1]))
        .dataSync(),
    ]).toEqual([4]);
    vi.stubEnv('ORBIT_GRAPH_OPTIMIZATION_LEVEL', '2');
    expect(bad({})).toThrow(/ORBIT_GRAPH_OPTIMIZATION_LEVEL is "2"; it can be/);
  });
});
