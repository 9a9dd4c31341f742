/** Numbers and durations as people read them. */

import { separated } from '../experiment/model-info.js';

/** A count with thousands separated: `12,345`. */
export function count(n: number): string {
  return separated(Math.round(n));
}

/** A measured value with about four significant digits: `0.1234`, `12.34`, `1.2e-7`. */
export function value(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  if (x === 0 || Number.isInteger(x)) return String(x);
  const size = Math.abs(x);
  if (size < 1e-4 || size >= 1e6) return x.toExponential(2);
  return size < 1 ? x.toFixed(4) : x.toPrecision(Math.max(4, Math.ceil(Math.log10(size)) + 1));
}

/** A rate per second: `1,234` or `3.4` when small. */
export function rate(perSecond: number): string {
  return perSecond >= 100 ? count(perSecond) : perSecond.toPrecision(2);
}

/** A duration: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 07 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (n: number): string => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** Logs on one line: `loss 0.1234  accuracy 0.9812`; nested names are joined with `/`. */
export function logs(entries: { readonly [key: string]: unknown }, prefix = ''): string {
  return Object.entries(entries)
    .map(([key, v]) => {
      const name = `${prefix}${key}`;
      if (typeof v === 'object' && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v))
        return logs(v as Record<string, unknown>, `${name}/`);
      return `${name} ${typeof v === 'number' ? value(v) : String(v)}`;
    })
    .join('  ');
}
