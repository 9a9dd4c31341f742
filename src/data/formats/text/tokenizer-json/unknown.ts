/** The token for a piece of text that is none. Throws an Error where there is no such token. */
export function unknown(piece: string, name: string | undefined, ids: ReadonlyMap<string, number>): number {
  const id = name === undefined ? undefined : ids.get(name);
  if (id !== undefined) return id;
  const shown = JSON.stringify(piece.length > 40 ? `${piece.slice(0, 40)}…` : piece);
  throw new Error(`the text ${shown} is no token, and there is no token ${name === undefined ? '' : `${name} `}for what is unknown`);
}
