// Results as text.

/** A number with about three significant digits. */
export function digits(value) {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** Lines of cells as text, columns aligned: the first to the left, others to the right. */
export function table(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * One section of the report.
 * @param {object} section what a measurement returns: title, unit, rows, facts, goals, missing
 */
export function sectionText({ title, unit, rows = [], facts = [], goals = [], missing = [] }) {
  const parts = [`## ${title}`];
  if (rows.length > 0) {
    const head = ['', `median ${unit}`, 'min', 'max', 'orbit-ts ÷ it', 'min', 'max', ''];
    const body = rows.map(({ name, median, min, max, ratio, note }) => [
      name,
      ...[median, min, max].map(digits),
      ...(ratio ? [ratio.median, ratio.min, ratio.max].map(digits) : ['', '', '']),
      note ?? '',
    ]);
    parts.push(table([head, ...body]));
  }
  for (const { name, value } of facts) parts.push(`${name}: ${value}`);
  for (const goal of goals) parts.push(goalText(goal));
  for (const { name, reason } of missing) parts.push(`left out: ${name}: ${reason}`);
  return parts.join('\n');
}

function goalText({ name, value, limit, unit }) {
  const verdict = !Number.isFinite(value) ? 'not measured' : value <= limit ? 'reached' : 'MISSED';
  return `goal: ${name} ≤ ${limit}${unit}: ${digits(value)}${unit} ${verdict}`;
}
