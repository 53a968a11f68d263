/** Frames of `application/vnd.amazon.eventstream`, written from Amazon's description of the encoding. */
import { crc32 } from 'node:zlib';

const PRELUDE_BYTES = 12;
const CRC_BYTES = 4;
const STRING_HEADER = 7;

function header(name: string, value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.of(STRING_HEADER), length, bytes]);
}

/** Lengths and their checksum, headers, payload, and a checksum of it all. */
export function frame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)));
  const body = Buffer.from(payload);
  const whole = Buffer.alloc(PRELUDE_BYTES + head.length + body.length + CRC_BYTES);
  whole.writeUInt32BE(whole.length, 0);
  whole.writeUInt32BE(head.length, 4);
  whole.writeUInt32BE(crc32(whole.subarray(0, 8)), 8);
  head.copy(whole, PRELUDE_BYTES);
  body.copy(whole, PRELUDE_BYTES + head.length);
  whole.writeUInt32BE(crc32(whole.subarray(0, -CRC_BYTES)), whole.length - CRC_BYTES);
  return whole;
}
