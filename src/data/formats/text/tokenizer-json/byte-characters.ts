/** The characters that stand for bytes in byte-level vocabularies: printable Latin-1 for itself, the others from U+0100 on. */
const characters: readonly string[] = (() => {
  const printable = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();
const bytes = new Map(characters.map((character, byte) => [character, byte]));
const encoder = new TextEncoder();
const PRINTABLE = /^[!-~]*$/;

/** The bytes of a text, each as its character. */
export function toByteCharacters(text: string): string {
  if (PRINTABLE.test(text)) return text;
  let made = '';
  for (const byte of encoder.encode(text)) made += characters[byte]!;
  return made;
}

/** The bytes for which the characters of a token stand; those of its UTF-8 form where one stands for none. */
export function fromByteCharacters(token: string): Uint8Array {
  const made: number[] = [];
  for (const character of token) {
    const byte = bytes.get(character);
    if (byte === undefined) return encoder.encode(token);
    made.push(byte);
  }
  return Uint8Array.from(made);
}
