import { copyCall, makeCall, makeValue, producer, rewriteCalls, type Call, type Graph, type Value } from '../ir.js';
import { loopBody, LoopBody, loopInputs, makeLoop, placeholder, type LoopOutput } from '../loop.js';
import { isContraction, overTime, type Emit, type OverTime } from '../over-time.js';

/**
 * Takes out of loops what need not run step by step: what does not depend on the states is computed for all steps at once
 * before the loop (a recurrent layer's product with its inputs), what no state needs after it (the gradients by weights and
 * inputs). A loop of which nothing is left disappears.
 */
export function splitLoops(graph: Graph): Graph {
  return rewriteCalls(graph, (call, replace) => {
    const body = loopBody(call);
    return body === undefined ? undefined : new Split(call, body).run(replace);
  });
}

/** Where a value of the step is computed: once, for all steps before the loop, in the loop, for all steps after it. */
type Place = 'once' | 'before' | 'loop' | 'after';

class Split {
  private readonly places = new Map<Value, Place>();
  private readonly rules = new Map<Call, OverTime>();
  private readonly calls: Call[] = [];
  private readonly made = new Map<Value, Value>();
  private readonly sums = new Map<Value, Value>();
  private readonly stacks: readonly Value[];
  private readonly initial: readonly Value[];
  private readonly outer: readonly Value[];

  constructor(
    private readonly call: Call,
    private readonly body: LoopBody,
  ) {
    ({ stacks: this.stacks, initial: this.initial, outer: this.outer } = loopInputs(call, body));
  }

  run(replace: (from: Value, to: Value) => void): Call[] | undefined {
    this.place();
    if (this.body.calls.every((c) => this.placeOf(c.outputs[0]!) === 'loop')) return undefined;
    this.emitLoop();
    const states = this.body.carried.length;
    this.body.outputs.forEach(({ kind, value }, i) => {
      const old = this.call.outputs[states + i]!;
      replace(old, kind === 'sum' ? this.sumOf(value) : this.wholeOf(value));
    });
    this.initial.forEach((_, i) => replace(this.call.outputs[i]!, this.states[i]!));
    return this.calls;
  }

  private states: readonly Value[] = [];

  private placeOf(v: Value): Place {
    return this.places.get(v) ?? 'once'; // constants
  }

  private perStep(call: Call): boolean[] {
    return call.inputs.map((v) => this.placeOf(v) !== 'once');
  }

  /** Decides for each value of the step where it is computed. */
  private place(): void {
    const { body, places } = this;
    body.sliced.forEach((v) => places.set(v, 'before'));
    body.carried.forEach(({ value }) => places.set(value, 'loop'));
    body.captured.forEach((v) => places.set(v, 'once'));
    for (const call of body.calls) {
      const at = call.inputs.map((v) => this.placeOf(v));
      let place: Place = at.includes('loop') ? 'loop' : at.includes('before') ? 'before' : 'once';
      if (place !== 'once') {
        const rule = loopBody(call) === undefined ? overTime(call, this.perStep(call)) : undefined;
        if (rule !== undefined) this.rules.set(call, rule);
        else place = 'loop';
      }
      call.outputs.forEach((v) => places.set(v, place));
    }
    const states = new Set<Value>();
    const mark = (v: Value): void => {
      if (states.has(v) || this.placeOf(v) !== 'loop') return;
      states.add(v);
      producer(v)?.inputs.forEach(mark);
    };
    body.carried.forEach(({ next }) => mark(next));
    const users = new Map<Value, Call[]>();
    for (const call of body.calls) for (const v of call.inputs) users.set(v, [...(users.get(v) ?? []), call]);
    for (const call of [...body.calls].reverse()) {
      const late =
        this.placeOf(call.outputs[0]!) === 'loop' &&
        this.rules.has(call) &&
        call.outputs.every((v) => !states.has(v) && (users.get(v) ?? []).every((u) => this.placeOf(u.outputs[0]!) === 'after'));
      if (late) call.outputs.forEach((v) => places.set(v, 'after'));
    }
  }

  /** Emits what comes before the loop, and what is left of it. */
  private emitLoop(): void {
    const { body } = this;
    const inside = body.calls.filter((c) => this.placeOf(c.outputs[0]!) === 'loop');
    const after = body.calls.filter((c) => this.placeOf(c.outputs[0]!) === 'after');
    const given = new Set<Value>();
    const giveStack = (v: Value): void => void (this.placeOf(v) === 'loop' && given.add(this.unshaped(v)));
    after.forEach((c) => c.inputs.forEach(giveStack));
    const summed: Value[] = [];
    for (const { kind, value } of body.outputs) {
      if (kind === 'stack') giveStack(value);
      else if (this.placeOf(value) === 'loop') summed.push(value);
    }
    const slices = new Map<Value, Value>();
    const captured = new Map<Value, Value>();
    const inLoop = new Map<Value, Value>();
    const resolve = (v: Value): Value => {
      const place = this.placeOf(v);
      if (place === 'loop') return inLoop.get(v) ?? v;
      if (v.source.kind === 'constant') return v;
      const known = place === 'before' ? slices : captured;
      let inner = known.get(v);
      if (inner === undefined) known.set(v, (inner = placeholder(v)));
      return inner;
    };
    const calls = inside.map((old) => {
      const copy = copyCall(old, old.inputs.map(resolve));
      old.outputs.forEach((v, i) => inLoop.set(v, copy.outputs[i]!));
      return copy;
    });
    const carried = body.carried.map(({ value, next }) => ({ value, next: resolve(next) }));
    const outputs: LoopOutput[] = [
      ...[...given].map((v): LoopOutput => ({ kind: 'stack', value: resolve(v) })),
      ...summed.map((v): LoopOutput => ({ kind: 'sum', value: resolve(v) })),
    ];
    if (carried.length === 0 && outputs.length === 0) return;
    const rest = new LoopBody(body.steps, body.reverse, calls, [...slices.values()], carried, [...captured.values()], outputs);
    const inputs = [...[...slices.keys()].map((v) => this.wholeOf(v)), ...this.initial, ...[...captured.keys()].map((v) => this.onceOf(v))];
    const loop = makeLoop(rest, inputs, this.call.origin);
    this.calls.push(loop);
    this.states = loop.outputs.slice(0, carried.length);
    const results = loop.outputs.slice(carried.length);
    [...given].forEach((v, i) => this.made.set(v, results[i]!));
    summed.forEach((v, i) => this.sums.set(v, results[given.size + i]!));
  }

  private readonly emit: Emit = (kernel, inputs, shape, attrs = {}, dtype = 'float32') => {
    const made = makeCall(kernel, inputs, attrs, [{ dtype, shape }], this.call.origin);
    this.calls.push(made);
    return made.outputs[0]!;
  };

  /** A value that all steps share, outside the loop. */
  private onceOf(v: Value): Value {
    const at = this.body.captured.indexOf(v);
    if (at >= 0) return this.outer[at]!;
    const call = producer(v);
    if (call === undefined) return v;
    let known = this.made.get(v);
    if (known === undefined) {
      const copy = copyCall(
        call,
        call.inputs.map((i) => this.onceOf(i)),
      );
      call.outputs.forEach((o, i) => this.made.set(o, copy.outputs[i]!));
      this.calls.push(copy);
      known = this.made.get(v)!;
    }
    return known;
  }

  /** The stack of a value over all steps. */
  private wholeOf(v: Value): Value {
    if (this.placeOf(v) === 'once') {
      const shape = [this.body.steps, ...v.shape];
      return this.emit('BroadcastTo', { x: this.onceOf(v) }, shape, { shape }, v.dtype);
    }
    const slice = this.body.sliced.indexOf(v);
    if (slice >= 0) return this.stacks[slice]!;
    const base = this.unshaped(v);
    if (this.placeOf(v) === 'loop' && base !== v) {
      const shape = [this.body.steps, ...v.shape];
      return this.emit('Reshape', { x: this.wholeOf(base) }, shape, { shape }, v.dtype);
    }
    let known = this.made.get(v);
    if (known === undefined) {
      const call = producer(v)!;
      const results = this.rules.get(call)!(this.emit, this.operands(call), this.body.steps);
      const made = producer(results[0]!);
      if (made !== undefined && !this.calls.includes(made) && !this.isGiven(results[0]!)) this.calls.push(made);
      call.outputs.forEach((o, i) => this.made.set(o, results[i]!));
      known = this.made.get(v)!;
    }
    return known;
  }

  /** True for a stack that exists outside: a rule may hand its input on. */
  private isGiven(v: Value): boolean {
    return this.stacks.includes(v) || [...this.made.values()].includes(v);
  }

  /** The value that a value of the loop is a mere reshape of. */
  private unshaped(v: Value): Value {
    const call = producer(v);
    return call?.kernel === 'Reshape' && this.placeOf(call.inputs[0]!) === 'loop' ? this.unshaped(call.inputs[0]!) : v;
  }

  private operands(call: Call): Value[] {
    return call.inputs.map((v) => (this.placeOf(v) === 'once' ? this.onceOf(v) : this.wholeOf(v)));
  }

  /** The sum of a value over all steps. */
  private sumOf(v: Value): Value {
    let sum = this.sums.get(v);
    if (sum === undefined) this.sums.set(v, (sum = this.emitSum(v)));
    return sum;
  }

  private emitSum(v: Value): Value {
    const { emit } = this;
    const { steps } = this.body;
    const call = producer(v);
    const [a, b] = call?.inputs ?? [];
    if (this.placeOf(v) === 'once') {
      const count = makeValue({ dtype: 'float32', shape: [] }, { kind: 'constant', data: Float32Array.of(steps) });
      return emit('Multiply', { a: this.onceOf(v), b: count }, v.shape);
    }
    const moved = call !== undefined && this.placeOf(v) !== 'loop';
    if (moved && call.kernel === 'Reshape') return emit('Reshape', { x: this.sumOf(a!) }, v.shape, { shape: [...v.shape] });
    if (moved && call.kernel === 'Concat' && call.inputs.every((t) => this.placeOf(t) !== 'once')) {
      const pieces = Object.fromEntries(call.inputNames.map((name, i) => [name, this.sumOf(call.inputs[i]!)]));
      return emit('Concat', pieces, v.shape, call.attrs);
    }
    if (moved && call.kernel === 'Add' && [a!, b!].every((t) => t.shape.join() === v.shape.join())) {
      return emit('Add', { a: this.sumOf(a!), b: this.sumOf(b!) }, v.shape);
    }
    if (moved && isContraction(call, this.perStep(call))) {
      const flat = (t: Value): Value => {
        const shape = [steps * t.shape.at(-2)!, t.shape.at(-1)!];
        return emit('Reshape', { x: this.wholeOf(t) }, shape, { shape });
      };
      const shape = v.shape.slice(-2);
      const product = emit('BatchMatMul', { a: flat(a!), b: flat(b!) }, shape, { transposeA: true, transposeB: false });
      return emit('Reshape', { x: product }, v.shape, { shape: [...v.shape] });
    }
    if (moved && call.kernel === 'Sum' && call.attrs['keepDims'] !== true && Array.isArray(call.attrs['axis'])) {
      const rank = a!.shape.length;
      const axis = [0, ...(call.attrs['axis'] as number[]).map((x) => (x < 0 ? x + rank : x) + 1)];
      return emit('Sum', { x: this.wholeOf(a!) }, v.shape, { axis, keepDims: false });
    }
    return emit('Sum', { x: this.wholeOf(v) }, v.shape, { axis: [0], keepDims: false });
  }
}
