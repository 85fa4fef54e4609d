// Latents of tiles become windows for the synthesis, which sees beyond a tile's edge: a tile's
// latents give the pixels that see none of the tiles to come, and no more is kept than those need.
import { CELL_PX, TILE_PX } from "./container.js";

const TILE = TILE_PX / CELL_PX; // positions

/** Latents of a rectangle of positions, [height, width, channels]. */
export class Grid {
  /**
   * @param {number} height @param {number} width @param {number} channels
   * @param {Float32Array} [data]
   */
  constructor(height, width, channels, data) {
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.data = data ?? new Float32Array(height * width * channels);
  }

  /**
   * Copy a rectangle of another grid here.
   * @param {number} top @param {number} left where to
   * @param {Grid} source @param {number} fromTop @param {number} fromLeft
   * @param {number} height @param {number} width
   */
  put(top, left, source, fromTop, fromLeft, height, width) {
    const row = width * this.channels;
    for (let y = 0; y < height; y++) {
      const from = ((fromTop + y) * source.width + fromLeft) * this.channels;
      const to = ((top + y) * this.width + left) * this.channels;
      this.data.set(source.data.subarray(from, from + row), to);
    }
  }
}

/**
 * @typedef {object} Window
 * @property {Grid} latents
 * @property {number} top @property {number} left where the window begins, in positions
 * @property {import("./container.js").Rectangle} inner positions whose pixels are complete
 */

/** Takes the tiles of a picture in their order, and gives a window for each. */
export class Mosaic {
  /**
   * @param {number} rows @param {number} columns of the picture, in positions
   * @param {number} channels
   * @param {number} halo how far a pixel sees, at most half a tile
   */
  constructor(rows, columns, channels, halo) {
    this.rows = rows;
    this.columns = columns;
    this.channels = channels;
    this.halo = halo;
    const band = Math.min(2 * halo, rows);
    // The last rows above the tiles at hand, and those that will be that for the tiles below.
    this._above = new Grid(rows > TILE ? band : 0, columns, channels);
    this._next = new Grid(rows > TILE ? band : 0, columns, channels);
    this._left = new Grid(0, 0, channels);
  }

  /**
   * The window of the tile at (top, left), positions.
   * @param {number} top @param {number} left @param {Grid} tile
   * @returns {Window}
   */
  add(top, left, tile) {
    const { halo, rows, columns, channels } = this;
    const bottom = top + tile.height, right = left + tile.width;
    if (!left && top) [this._above, this._next] = [this._next, this._above];
    const start = { top: Math.max(top - 2 * halo, 0), left: Math.max(left - 2 * halo, 0) };
    const latents = new Grid(bottom - start.top, right - start.left, channels);
    const [above, beside] = [top - start.top, left - start.left];
    latents.put(0, 0, this._above, this._above.height - above, start.left, above, latents.width);
    latents.put(above, 0, this._left, 0, this._left.width - beside, tile.height, beside);
    latents.put(above, beside, tile, 0, 0, tile.height, tile.width);
    this._keep(latents, start, bottom, right, tile);
    const inner = {
      top: top ? top - halo : 0, left: left ? left - halo : 0,
      height: bottom < rows ? bottom - halo : rows, width: right < columns ? right - halo : columns,
    };
    inner.height -= inner.top;
    inner.width -= inner.left;
    return { latents, top: start.top, left: start.left, inner };
  }

  /**
   * Keep what the tiles to the right and below will see.
   * @param {Grid} latents @param {{top: number, left: number}} start
   * @param {number} bottom @param {number} right
   * @param {Grid} tile
   */
  _keep(latents, start, bottom, right, tile) {
    const band = 2 * this.halo;
    if (right < this.columns) {
      this._left = new Grid(tile.height, band, this.channels);
      this._left.put(0, 0, tile, 0, tile.width - band, tile.height, band);
    }
    if (bottom < this.rows) {
      this._next.put(0, right - tile.width, tile, tile.height - band, 0, band, tile.width);
    }
  }
}
