// PNG files that are not compressed: how pixels with an ICC profile come to the browser's own
// colour management.
import { crc32 } from "./container.js";
import { isGreyProfile } from "./metadata.js";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const STORED_BYTES = 0xffff; // of a block of deflate
const GREY = 0, RGB = 2, ALPHA = 4; // colour types, of which the last is added

/**
 * The bytes of a PNG file.
 * @param {Uint8ClampedArray} pixels RGBA; of grey ones, red counts
 * @param {number} width @param {number} height
 * @param {Uint8Array} icc its profile
 * @returns {Uint8Array}
 */
export function pngOf(pixels, width, height, icc) {
  const grey = isGreyProfile(icc), channels = grey ? 2 : 4;
  const rows = new Uint8Array(height * (1 + width * channels));
  for (let y = 0, at = 0, from = 0; y < height; y++) {
    at++; // filter 0
    for (let x = 0; x < width; x++, from += 4) {
      rows[at++] = pixels[from];
      if (!grey) {
        rows[at++] = pixels[from + 1];
        rows[at++] = pixels[from + 2];
      }
      rows[at++] = pixels[from + 3];
    }
  }
  const head = new Uint8Array(13), view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, (grey ? GREY : RGB) + ALPHA], 8);
  const profile = joined([new TextEncoder().encode("icc\0\0"), stored(icc)]);
  return joined([
    Uint8Array.from(SIGNATURE), chunk("IHDR", head), chunk("iCCP", profile),
    chunk("IDAT", stored(rows)), chunk("IEND", new Uint8Array(0)),
  ]);
}

/** @param {string} type @param {Uint8Array} payload */
function chunk(type, payload) {
  const body = joined([new TextEncoder().encode(type), payload]);
  return joined([bigEndian(payload.length), body, bigEndian(crc32(body))]);
}

/** A zlib stream that holds bytes as they are. @param {Uint8Array} data */
function stored(data) {
  /** @type {Uint8Array[]} */
  const parts = [Uint8Array.of(0x78, 0x01)];
  let a = 1, b = 0;
  for (let start = 0; start < data.length; start += STORED_BYTES) {
    const block = data.subarray(start, start + STORED_BYTES), size = block.length;
    const last = start + size === data.length ? 1 : 0;
    parts.push(Uint8Array.of(last, size, size >> 8, ~size, ~size >> 8), block);
    for (let i = 0; i < size; i++) { // Adler-32; these sums stay below 2 ** 53
      a += block[i];
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  parts.push(bigEndian(b * 65536 + a));
  return joined(parts);
}

/** @param {number} value */
function bigEndian(value) {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
