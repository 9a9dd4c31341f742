/**
 * `tf.train.Example`: a map from key to a list of bytes, 32-bit floats or 64-bit integers. On the wire:
 * Example { Features features = 1 }, Features { map<string, Feature> feature = 1 },
 * Feature { oneof BytesList = 1, FloatList = 2, Int64List = 3 }, each list { repeated value = 1 }.
 */

/** One feature. Integers are numbers where a number holds them exactly, else bigints. */
export type Feature =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'float'; readonly values: Float32Array }
  | { readonly kind: 'int64'; readonly values: readonly (number | bigint)[] };

/** The features of one example by key. */
export type Example = Map<string, Feature>;
