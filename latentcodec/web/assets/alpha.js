// The payload of an ALPHA chunk: a tile's transparency, without losses.
import { CorruptAlpha } from "./errors.js";
import { inflate } from "./inflate.js";

const CONSTANT = 0, DEFLATED = 1;
const LEFT = 1, UP = 2;

/**
 * Alpha samples, row by row.
 * @param {Uint8Array} payload
 * @param {number} height @param {number} width
 * @returns {Promise<Uint8Array>}
 */
export async function decodeAlpha(payload, height, width) {
  if (payload.length === 2 && payload[0] === CONSTANT) {
    return new Uint8Array(height * width).fill(payload[1]);
  }
  if (payload[0] !== DEFLATED) {
    throw new CorruptAlpha("the transparency of a tile is coded in an unknown way");
  }
  const wanted = height * (1 + width);
  let rows;
  try {
    rows = await inflate(payload.subarray(1), "deflate", wanted);
  } catch {
    throw new CorruptAlpha("the transparency of a tile is damaged");
  }
  if (rows?.length !== wanted) {
    throw new CorruptAlpha("the transparency of a tile has another size than the tile");
  }
  const plane = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (1 + width)];
    if (filter > UP) throw new CorruptAlpha("the transparency of a tile uses an unknown filter");
    const row = plane.subarray(y * width, (y + 1) * width);
    row.set(rows.subarray(y * (1 + width) + 1, (y + 1) * (1 + width)));
    if (filter === LEFT) {
      for (let x = 1; x < width; x++) row[x] += row[x - 1];
    } else if (filter === UP && y) {
      for (let x = 0; x < width; x++) row[x] += plane[(y - 1) * width + x];
    }
  }
  return plane;
}
