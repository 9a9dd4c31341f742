/**
 * The messages of event files in protobuf's wire format: `Event` {1 wall_time, 2 step, 3 file_version, 5 summary}, `Summary`
 * {1 value}, its values {1 tag, 8 tensor, 9 metadata}. Values have the tensor form of TensorFlow 2: the metadata name the
 * dashboard that shows them.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** TensorFlow's numbers of element types. */
export const dataType = { float: 1, double: 2, string: 7 } as const;
/** TensorBoard's classes of data: single numbers, or arrays. */
const dataClass = { scalars: 1, histograms: 2, text: 2 } as const;

/** A dashboard of TensorBoard. */
export type Plugin = keyof typeof dataClass;

/** An event that starts a file. */
export function versionEvent(wallTimeSeconds: number): Uint8Array {
  return new BinaryWriter()
    .tag(1, WireType.Bit64)
    .double(wallTimeSeconds)
    .tag(3, WireType.LengthDelimited)
    .string('brain.Event:2')
    .finish();
}

/** An event with one summary, as {@link scalarSummary} and the others make them. */
export function summaryEvent(wallTimeSeconds: number, step: number, summary: Uint8Array): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Bit64).double(wallTimeSeconds).tag(2, WireType.Varint);
  if (step >= 0 && step <= 0xffffffff) writer.uint32(step);
  else writer.int64(step);
  return writer.tag(5, WireType.LengthDelimited).bytes(summary).finish();
}

/** A summary of one number, kept as float32. The number fills the last four bytes. */
export function scalarSummary(tag: string, value: number): Uint8Array {
  return summary(tag, 'scalars', (tensor) => {
    shape(tensor.tag(1, WireType.Varint).int32(dataType.float), []);
    tensor.tag(5, WireType.LengthDelimited).fork().float(value).join();
  });
}

/** A summary of buckets `[left, right, count]`, row by row. */
export function histogramSummary(tag: string, buckets: Float64Array): Uint8Array {
  return summary(tag, 'histograms', (tensor) => {
    shape(tensor.tag(1, WireType.Varint).int32(dataType.double), [buckets.length / 3, 3]);
    const content = Buffer.alloc(buckets.length * 8);
    buckets.forEach((x, i) => content.writeDoubleLE(x, i * 8));
    tensor.tag(4, WireType.LengthDelimited).bytes(content);
  });
}

/** A summary of one text (Markdown). */
export function textSummary(tag: string, text: string): Uint8Array {
  return summary(tag, 'text', (tensor) => {
    shape(tensor.tag(1, WireType.Varint).int32(dataType.string), []);
    tensor.tag(8, WireType.LengthDelimited).string(text);
  });
}

function summary(tag: string, plugin: Plugin, writeTensor: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(tag);
  writer.tag(9, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(plugin).join();
  writer.tag(4, WireType.Varint).int32(dataClass[plugin]).join();
  writer.tag(8, WireType.LengthDelimited).fork();
  writeTensor(writer);
  return writer.join().join().finish();
}

function shape(writer: BinaryWriter, dims: readonly number[]): void {
  writer.tag(2, WireType.LengthDelimited).fork();
  for (const dim of dims) writer.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int64(dim).join();
  writer.join();
}
