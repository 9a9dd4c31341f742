/** Texts as the tokens `<0x00>` to `<0xFF>` of their bytes; undefined where one is missing. */
export function byteTokens(ids: ReadonlyMap<string, number>): (text: string) => number[] | undefined {
  const numbers = Array.from({ length: 256 }, (_, byte) => ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`));
  return (text) => {
    const found = Array.from(Buffer.from(text), (byte) => numbers[byte]);
    return found.every((id) => id !== undefined) ? found : undefined;
  };
}
