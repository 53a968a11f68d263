const SIGNATURES: readonly (readonly [mediaType: string, signature: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBP/],
  ['image/heic', /^[^]{4}ftyphei[cxms]/],
  ['image/heif', /^[^]{4}ftyp(?:mif1|msf1)/],
  ['image/avif', /^[^]{4}ftypavi[fs]/],
];

/** The type that the first bytes show, or undefined when they are no image a model could read. */
export function imageType(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, 16);
  return SIGNATURES.find(([, signature]) => signature.test(head))?.[0];
}
