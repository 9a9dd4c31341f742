/** How many native handles of ONNX Runtime this thread holds: what leaks shows here. */

/** The kinds of native handles that are made and given back. */
export type HandleKind = 'session' | 'binding' | 'value';

const counts: Record<HandleKind, number> = { session: 0, binding: 0, value: 0 };

/** Notes that a handle was made (1) or given back (-1). */
export function countHandle(kind: HandleKind, change: 1 | -1): void {
  counts[kind] += change;
}

/** The handles that exist now. */
export function nativeHandles(): Readonly<Record<HandleKind, number>> {
  return { ...counts };
}
