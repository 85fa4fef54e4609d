// The pixels of a file, part by part, as its tiles are decoded.
import { decodeAlpha } from "./alpha.js";
import { atTile, CELL_PX, EXIF, ICC, PREVIEW, TILE_PX, tileRectangle } from "./container.js";
import { orientationOf, previewOf } from "./metadata.js";
import { Grid, Mosaic } from "./mosaic.js";

/**
 * @typedef {object} Part
 * @property {number} left @property {number} top px
 * @property {number} width @property {number} height px
 * @property {Uint8ClampedArray} pixels RGBA
 */

/** @param {number} px */
const cells = (px) => Math.ceil(px / CELL_PX);

/**
 * What of a file can be said before it is decoded.
 * @param {import("./container.js").LatFile} file
 */
export function factsOf({ header, metadata }) {
  return {
    ...header,
    quality: header.tenths / 10,
    orientation: orientationOf(metadata.get(EXIF)),
    icc: metadata.get(ICC)?.slice() ?? null,
    preview: previewOf(metadata.get(PREVIEW)),
  };
}

/**
 * The latents of every tile, in the order of the file.
 * @param {import("./container.js").LatFile} file
 * @param {import("./model.js").Model} model
 */
async function* tilesOf({ header, tiles }, model) {
  for (const [number, payload] of tiles.entries()) {
    const { left, top, width, height } = tileRectangle(header, number);
    const rows = cells(height), columns = cells(width);
    const vHat = await atTile(header, number, () =>
      model.decodeLatents(payload, header.tenths, rows, columns));
    yield { number, top: top / CELL_PX, left: left / CELL_PX, rows, columns, vHat };
  }
}

/**
 * The latents of a whole file, for tests and for programs that work on them.
 * @param {import("./container.js").LatFile} file
 * @param {import("./model.js").Model} model
 * @returns {Promise<Int32Array>} [h, w, M] in 1/16 of a quantisation step
 */
export async function latentsOf(file, model) {
  const { width, height } = file.header;
  const across = cells(width), size = model.latents;
  const whole = new Int32Array(cells(height) * across * size);
  for await (const { top, left, rows, columns, vHat } of tilesOf(file, model)) {
    for (let y = 0; y < rows; y++) {
      const row = vHat.subarray(y * columns * size, (y + 1) * columns * size);
      whole.set(row, ((top + y) * across + left) * size);
    }
  }
  return whole;
}

/**
 * The picture, part by part: rectangles that cover it, in the order of its tiles.
 * @param {import("./container.js").LatFile} file
 * @param {import("./model.js").Model} model
 * @returns {AsyncGenerator<Part>}
 */
export async function* partsOf(file, model) {
  const { header } = file, { width, height, tenths } = header;
  const alphas = new Alphas(file);
  const mosaic = new Mosaic(cells(height), cells(width), model.latents, model.halo);
  for await (const { top, left, rows, columns, vHat } of tilesOf(file, model)) {
    const tile = new Grid(rows, columns, model.latents, Float32Array.from(vHat));
    const window = mosaic.add(top, left, tile), { latents, inner } = window;
    const rgb = await model.synthesise(latents.data, tenths, latents.height, latents.width);
    const x = inner.left * CELL_PX, y = inner.top * CELL_PX;
    const part = {
      left: x, top: y,
      width: Math.min(inner.width * CELL_PX, width - x),
      height: Math.min(inner.height * CELL_PX, height - y),
    };
    const from = { left: x - window.left * CELL_PX, top: y - window.top * CELL_PX };
    const pixels = rgba(rgb, latents.width * CELL_PX, from, part, header.grey);
    if (header.alpha) await alphas.apply({ ...part, pixels });
    yield { ...part, pixels };
  }
}

/**
 * A rectangle of RGB samples as opaque RGBA.
 * @param {Uint8Array} rgb @param {number} stride px
 * @param {{left: number, top: number}} from
 * @param {{width: number, height: number}} size
 * @param {boolean} grey
 */
function rgba(rgb, stride, from, { width, height }, grey) {
  const pixels = new Uint8ClampedArray(4 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    let at = 3 * ((from.top + y) * stride + from.left);
    for (let x = 0; x < width; x++, at += 3, to += 4) {
      let red = rgb[at], green = rgb[at + 1], blue = rgb[at + 2];
      // Luma of ITU-R 601, as Pillow rounds it.
      if (grey) red = green = blue = (red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16;
      pixels[to] = red;
      pixels[to + 1] = green;
      pixels[to + 2] = blue;
      pixels[to + 3] = 255;
    }
  }
  return pixels;
}

/** The transparency of a file, of which the tiles that are needed last are kept. */
class Alphas {
  /** @param {import("./container.js").LatFile} file */
  constructor({ header, alphas }) {
    this._header = header;
    this._payloads = alphas;
    this._across = Math.ceil(header.width / TILE_PX);
    /** @type {Map<number, Uint8Array>} */
    this._planes = new Map();
  }

  /** Put alpha samples into a part. @param {Part} part */
  async apply(part) {
    const tileOf = /** @param {number} px */ (px) => Math.floor(px / TILE_PX);
    const first = tileOf(part.top), last = tileOf(part.top + part.height - 1);
    const from = tileOf(part.left), to = tileOf(part.left + part.width - 1);
    for (const number of this._planes.keys()) {
      if (number < first * this._across + from) this._planes.delete(number);
    }
    for (let row = first; row <= last; row++) {
      for (let column = from; column <= to; column++) {
        await this._put(part, row * this._across + column);
      }
    }
  }

  /** @param {Part} part @param {number} number */
  async _put(part, number) {
    const tile = tileRectangle(this._header, number);
    let plane = this._planes.get(number);
    if (!plane) {
      plane = await atTile(this._header, number, () =>
        decodeAlpha(this._payloads[number], tile.height, tile.width));
      this._planes.set(number, plane);
    }
    const right = Math.min(part.left + part.width, tile.left + tile.width);
    const bottom = Math.min(part.top + part.height, tile.top + tile.height);
    for (let y = Math.max(part.top, tile.top); y < bottom; y++) {
      for (let x = Math.max(part.left, tile.left); x < right; x++) {
        const to = 4 * ((y - part.top) * part.width + x - part.left) + 3;
        part.pixels[to] = plane[(y - tile.top) * tile.width + x - tile.left];
      }
    }
  }
}
