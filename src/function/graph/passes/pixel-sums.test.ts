import { expect, it } from 'vitest';
import { makeCall, makeValue, type Value } from '../ir.js';
import { ChannelForms, ONE, type Emit, type Linear } from './channel-forms.js';
import { PixelSums } from './pixel-sums.js';

const image = [2, 3, 4, 5];
const value = (shape: readonly number[], index: number): Value => makeValue({ dtype: 'float32', shape }, { kind: 'input', index });
const [x, y, factor] = [value(image, 0), value(image, 1), value([5], 2)];

/** The algebra with the list of what it emitted: kernel and size of the result. */
function algebra(isCentred: (image: Value) => boolean = () => false) {
  const emitted: string[] = [];
  const emit: Emit = (kernel, inputs, shape, attrs = {}) => {
    emitted.push(`${kernel}[${shape.join()}]`);
    return makeCall(kernel, inputs, attrs as Record<string, unknown>, [{ dtype: 'float32', shape }]).outputs[0]!;
  };
  const forms = new ChannelForms(emit);
  return { emitted, forms, sums: new PixelSums(forms, emit, isCentred) };
}

it('adds, scales and divides images by work on vectors alone', () => {
  const { emitted, forms } = algebra();
  const sum = forms.add(new Map([[x, undefined]]), new Map([[x, factor]]));
  forms.divide(forms.scale(forms.add(sum, new Map([[y, factor]])), factor), factor);
  expect(emitted.every((call) => call.endsWith('[5]'))).toBe(true);
});

it('sums each image once, whatever its factors', () => {
  const { emitted, sums } = algebra();
  const form: Linear = new Map([[x, factor]]);
  sums.of(form, image);
  sums.of(new Map([[x, undefined]]), image);
  expect(emitted.filter((call) => call.startsWith('Sum'))).toHaveLength(1);
});

it('sums the product of two images once, in either order', () => {
  const { emitted, sums } = algebra();
  const [left, right]: Linear[] = [new Map([[x, undefined]]), new Map([[y, undefined]])];
  sums.of({ left: left!, right: right! }, image);
  sums.of({ left: right!, right: left! }, image);
  expect(emitted).toEqual(['Multiply[2,3,4,5]', 'Sum[5]']);
});

it('knows sums that need no pass over memory: of a centred image, and of a vector along all pixels', () => {
  const { emitted, sums } = algebra((v) => v === x);
  expect(sums.of(new Map([[x, factor]]), image).source).toEqual({ kind: 'constant', data: new Float32Array(5) });
  sums.of(new Map([[ONE, factor]]), image);
  expect(emitted).toEqual(['Multiply[5]']); // 24 pixels times the vector
});
