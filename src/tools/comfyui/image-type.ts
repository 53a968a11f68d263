const SIGNATURES = [
  { extension: 'png', at: 0, bytes: Buffer.from('89504e470d0a1a0a', 'hex') },
  { extension: 'jpg', at: 0, bytes: Buffer.from('ffd8ff', 'hex') },
  { extension: 'gif', at: 0, bytes: Buffer.from('GIF8') },
  { extension: 'webp', at: 8, bytes: Buffer.from('WEBP') },
] as const;

/** What the bytes are, whatever a name or a header says; undefined: no image. */
export function imageExtension(image: Buffer): string | undefined {
  return SIGNATURES.find(({ at, bytes }) => image.subarray(at, at + bytes.length).equals(bytes))?.extension;
}
