/** The controller against recordings of the original: order of calls, saves, restores, summaries, log lines and errors. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { Controller } from './controller.js';
import type { ControllerOptions } from './controller-options.js';
import { createGlobalStep } from './global-step.js';
import { LineReporter } from './reporter.js';
import { recordScalar } from './summary-scope.js';
import { MemoryCheckpointManager, MemorySummaries } from './testing.js';
import type { Action, GlobalStep, Output } from './types.js';

interface Part {
  output?: 'none' | 'nested';
  summary?: boolean;
  advance?: number;
}

interface Call {
  do: string;
  args?: Record<string, number | boolean | null>;
}

interface Case {
  name: string;
  config: {
    trainer?: Part;
    evaluator?: Part;
    steps_per_loop?: number | { if_step_above: [number, number, number] };
    checkpoint_manager?: { checkpoint_interval: number | null; max_to_keep: number | null };
    existing_checkpoints?: number[];
    global_step?: number;
    summary_dir?: string;
    eval_summary_dir?: string;
    summary_interval?: number;
    train_actions?: string[];
    eval_actions?: string[];
    enable_async_checkpointing?: boolean;
  };
  inputs: { calls: Call[] };
  expected: {
    trace?: unknown[][];
    calls?: { returned?: unknown; returned_keys?: string[]; error?: string; message?: string; global_step: number }[];
    checkpoint_files?: string[];
    managed_checkpoints?: string[];
    latest_checkpoint?: string | null;
    summaries?: Record<string, Record<string, unknown[][]> | null>;
    log_lines?: string[];
    failed_call?: string;
    error?: string;
  };
}

const { cases } = JSON.parse(readFileSync(new URL('../../tests/fixtures/controller_traces.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};

/** What happened in a case, in the terms of the recordings. */
class Scene {
  readonly trace: unknown[][] = [];
  readonly lines: string[] = [];
  readonly outputs: Output[] = [];
  readonly summaries = new MemorySummaries();
  readonly step: GlobalStep = createGlobalStep();
  readonly manager: MemoryCheckpointManager | null;
  readonly options: ControllerOptions;

  constructor({ config }: Case) {
    const onEvent = (event: unknown[]): number => this.trace.push(event);
    this.step.assign(config.global_step ?? 0);
    this.manager = config.checkpoint_manager
      ? new MemoryCheckpointManager(this.step, {
          checkpointInterval: config.checkpoint_manager.checkpoint_interval,
          maxToKeep: config.checkpoint_manager.max_to_keep,
          existing: config.existing_checkpoints,
          onEvent,
        })
      : null;
    const reporter = new LineReporter({
      print: (line) => this.lines.push(line),
      logger: { info() {}, warning: (line) => onEvent(['warning', line]) },
    });
    const { step, outputs } = this;
    const loopEnd = reporter.trainLoopEnd.bind(reporter);
    const evaluationEnd = reporter.evaluationEnd.bind(reporter);
    reporter.trainLoopEnd = (event) => (outputs.push(event.output), loopEnd(event));
    reporter.evaluationEnd = (event) => (outputs.push(event.output), evaluationEnd(event));
    this.options = {
      globalStep: step,
      trainer: config.trainer ? this.#trainer(config.trainer) : null,
      evaluator: config.evaluator ? this.#evaluator(config.evaluator) : null,
      trainActions: config.train_actions?.map((name) => this.#action(name, 'train_action')),
      evalActions: config.eval_actions?.map((name) => this.#action(name, 'eval_action')),
      stepsPerLoop: stepsPerLoop(config.steps_per_loop),
      checkpointManager: this.manager,
      enableAsyncCheckpointing: config.enable_async_checkpointing,
      summaryInterval: config.summary_interval,
      summaryDir: config.summary_dir,
      evalSummaryDir: config.eval_summary_dir,
      summaryWriterFactory: this.summaries.factory,
      reporter,
    };
  }

  #trainer(part: Part): { train(n: number): Output | null } {
    return {
      train: (n) => {
        const before = this.step.value;
        this.trace.push(['train', n, before]);
        for (let i = 0; i < (part.advance ?? n); i++) {
          if (part.summary) recordScalar('inside', this.step.value);
          this.step.assignAdd(1);
        }
        const now = this.step.value;
        if (part.output === 'none') return null;
        return part.output === 'nested' ? { a: { x: now }, b: 2 * now } : { loss: 1 / (now + 1) };
      },
    };
  }

  #evaluator(part: Part): { evaluate(n: number): Output | null } {
    return {
      evaluate: (n) => {
        const now = this.step.value;
        this.trace.push(['evaluate', n, now]);
        if (part.output === 'none') return null;
        return part.output === 'nested' ? { d1: { m: now }, d2: { m: -now } } : { eval_loss: now / 2 };
      },
    };
  }

  #action(name: string, kind: string): Action {
    let done = false;
    return (output) => {
      const now = this.step.value;
      this.trace.push([kind, name, now, Object.keys(output)]);
      const [what, at, to] = name.split(':');
      if (what === 'add_key') output.x = now;
      if (what === 'rollback' && now === Number(at) && !done) {
        done = true;
        this.step.assign(Number(to));
      }
      if (what === 'stop' && now === Number(at)) throw new RangeError('stopped by action');
    };
  }

  /** Makes one call of a recording. */
  call(controller: Controller, { do: name, args = {} }: Call): unknown {
    switch (name) {
      case 'train':
        return controller.train(args.steps as number, { checkpointAtCompletion: args.checkpoint_at_completion as boolean });
      case 'evaluate':
        return controller.evaluate(args.steps as number | undefined);
      case 'train_and_evaluate':
        return controller.trainAndEvaluate({
          trainSteps: args.train_steps as number,
          evalSteps: args.eval_steps as number,
          evalInterval: args.eval_interval as number | null,
        });
      case 'evaluate_continuously': {
        let left = args.timeout_fn as number;
        const timeoutFn = (): boolean => (this.trace.push(['timeout_fn']), --left === 0);
        return controller.evaluateContinuously({
          steps: args.steps as number,
          timeout: args.timeout as number,
          timeoutFn: args.timeout_fn === undefined ? null : timeoutFn,
        });
      }
      case 'save_checkpoint':
        return controller.saveCheckpoint();
      case 'restore_checkpoint':
        return controller.restoreCheckpoint();
      case 'set_step':
        return this.step.assign(args.value as number);
      default:
        throw new Error(`unknown call ${name}`);
    }
  }
}

function stepsPerLoop(setting: Case['config']['steps_per_loop']): ControllerOptions['stepsPerLoop'] {
  if (typeof setting !== 'object') return setting;
  const [limit, above, below] = setting.if_step_above;
  return (step) => (step > limit ? above : below);
}

/** Our own words in warnings; the recordings' numbers. */
function comparable(event: unknown[]): unknown[] {
  return event[0] === 'warning' ? ['warning', ...(String(event[1]).match(/\d+/g) ?? [])] : event;
}

/** Everything before the printed output, with rates and times masked. */
function lineHead(line: string): string {
  return line.replace(/output: [^]*$/, 'output:').replace(/(steps\/sec|eval time): +-?[\d.]+/g, '$1: #');
}

/** The numbers of a printed Python dictionary, or of one of our outputs, by key. */
function printedValues(line: string): Record<string, unknown> | null {
  const text = /output: (.*)$/.exec(line)?.[1];
  if (text === undefined) return null;
  return JSON.parse(
    text
      .replace(/np\.float32\(([^)]*)\)/g, '$1')
      .replaceAll("'", '"')
      .replaceAll('#', '"#"'),
  ) as Record<string, unknown>;
}

function expectClose(actual: unknown, expected: unknown, where: string): void {
  if (typeof expected === 'number') {
    expect(Math.abs((actual as number) - expected), where).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(expected)));
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected)) {
      expectClose((actual as Record<string, unknown>)[key], value, `${where}.${key}`);
    }
  } else if (expected === '#') expect(actual, where).toBeGreaterThan(0);
  else expect(actual ?? null, where).toBe(expected);
}

function expectSummaries(scene: Scene, expected: NonNullable<Case['expected']['summaries']>): void {
  const wanted = new Map<string, unknown[][]>();
  for (const [directory, files] of Object.entries(expected)) {
    for (const [path, events] of Object.entries(files ?? {}))
      wanted.set(path === '.' ? directory : `${directory}/${path}`, events.slice(1));
  }
  expect([...scene.summaries.files.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [directory, events] of wanted) {
    const written = scene.summaries.files.get(directory)!;
    expect(written.map(([tag, step]) => [tag, step])).toEqual(events.map(([tag, step]) => [tag, step]));
    events.forEach((event, index) => {
      if (event.length > 2) expectClose(written[index]![2], event[2], `${directory}[${index}]`);
    });
  }
}

async function play(scene: Scene, { inputs, expected }: Case): Promise<void> {
  const controller = await Controller.create(scene.options);
  for (const [index, call] of inputs.calls.entries()) {
    const wanted = expected.calls![index]!;
    if (wanted.error !== undefined) {
      const error: unknown = await Promise.resolve()
        .then(() => scene.call(controller, call))
        .then(
          () => null,
          (reason: unknown) => reason,
        );
      expect(error).toBeInstanceOf(wanted.error === 'ValueError' ? UsageError : RangeError);
      expect(scene.step.value).toBe(wanted.global_step);
      continue;
    }
    const returned = await scene.call(controller, call);
    expect(scene.step.value).toBe(wanted.global_step);
    if (wanted.returned_keys) expect(Object.keys(returned as object)).toEqual(wanted.returned_keys);
    expectClose(typeof returned === 'string' ? returned.replace('ckpt/', '') : returned, wanted.returned, call.do);
  }
}

describe('the controller behaves as the recordings of the original say', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const scene = new Scene(one);
    const { expected } = one;
    if (expected.failed_call === 'construct') {
      expect(() => new Controller(scene.options)).toThrow(UsageError);
      return;
    }
    await play(scene, one);
    expect(scene.trace.map(comparable)).toEqual(expected.trace!.map(comparable));
    if (expected.checkpoint_files) {
      expect(scene.manager!.checkpoints.map((path) => path.replace('ckpt/', ''))).toEqual(expected.managed_checkpoints);
      expect(scene.manager!.latestCheckpoint?.replace('ckpt/', '') ?? null).toBe(expected.latest_checkpoint);
    }
    if (expected.summaries) expectSummaries(scene, expected.summaries);
    expect(scene.lines.map(lineHead)).toEqual(expected.log_lines!.map(lineHead));
    const printed = expected.log_lines!.map(printedValues).filter((values) => values !== null);
    expect(scene.outputs.length).toBe(printed.length);
    printed.forEach((values, index) => expectClose(scene.outputs[index], values, `output ${index}`));
  });
});
