// From symbols to latents: the walk through the coding steps of `hyper` models, and the single call
// of `ae` and `vae` models. See docs/format.md, "Tile payload", and docs/onnx.md.

/**
 * @typedef {import("./model.js").Model} Model
 * @typedef {import("./ans.js").SymbolDecoder} SymbolDecoder
 */

const STEPS = 4, PHASES = 4;
const ORDER = [0, 3, 1, 2];
const CELLS = 4; // positions of y for one of z, along a side
const UNIT = 16; // of a mean and of v_hat, in a quantisation step
const LAST_TABLE = 71;

/**
 * v_hat of a tile of a `hyper` model.
 * @param {Model} model @param {SymbolDecoder} source
 * @param {number} tenths @param {number} height @param {number} width positions
 * @returns {Promise<Int32Array>} [height, width, M] in 1/16 of a quantisation step
 */
export async function readHyper(model, source, tenths, height, width) {
  const { Tensor } = model.ort;
  const even = [height + (height % 2), width + (width % 2)];
  const rows = /** @param {string} name */ (name) => {
    const row = model.row(name, tenths);
    return new Tensor("int32", row, [row.length]);
  };
  const zSize = [Math.ceil(height / CELLS), Math.ceil(width / CELLS)];
  const zHat = readHyperLatents(model, source, tenths, zSize[0] * zSize[1]);
  const { u: psi } = await model.run("h_s", {
    z_hat: new Tensor("int32", zHat, [...zSize, zHat.length / (zSize[0] * zSize[1])]),
    h_s_level: rows("h_s_level"),
  });
  let u = cut(Tensor, psi, even[0], even[1]);
  const given = { to_step: rows("to_step"), table_offset: rows("table_offset") };
  const vHat = new Int32Array(height * width * model.latents);
  let values = null;
  for (let step = 0; step < STEPS; step++) {
    const more = values && { values, to_latent: rows("to_latent") };
    const out = await model.run(`context_${step}`, { u, ...given, ...more });
    u = out.u_next ?? u;
    const means = new Int32Array(out.mean.data);
    const walk = new Places(step, height, width, model.latents / PHASES);
    walk.put(means, source.get(walk.tables(out.table.data)), vHat);
    values = new Tensor("int32", means, out.mean.dims);
  }
  return vHat;
}

/**
 * z_hat in 1/16, position by position.
 * @param {Model} model @param {SymbolDecoder} source
 * @param {number} tenths @param {number} count positions
 */
function readHyperLatents(model, source, tenths, count) {
  const mean = model.row("z_mean", tenths);
  const table = model.row("z_table", tenths).map((one) => Math.min(Math.max(one, 0), LAST_TABLE));
  const size = mean.length;
  const symbols = source.get(Uint8Array.from({ length: count * size }, (_, i) => table[i % size]));
  return symbols.map((symbol, i) => UNIT * symbol + mean[i % size]);
}

/** Where in a tile the latents of a coding step are, in coding order. */
class Places {
  /**
   * @param {number} step
   * @param {number} height @param {number} width positions of the tile
   * @param {number} group channels of a group
   */
  constructor(step, height, width, group) {
    this.step = step;
    this.height = height;
    this.width = width;
    this.group = group;
    this.half = (width + (width % 2)) / 2; // positions of a phase in a row of the grid made even
    this.perPhase = ((height + (height % 2)) / 2) * this.half * group;
  }

  /**
   * Call back for every position of the tile: where its group begins in a graph's array
   * [PHASES, n, group], and where in v_hat.
   * @param {(inGraph: number, inTile: number) => void} each
   */
  visit(each) {
    const { step, height, width, group, half, perPhase } = this;
    for (let phase = 0; phase < PHASES; phase++) {
      const first = (ORDER[step] ^ phase) * group;
      for (let y = phase >> 1; y < height; y += 2) {
        for (let x = phase & 1; x < width; x += 2) {
          const inGraph = phase * perPhase + ((y >> 1) * half + (x >> 1)) * group;
          each(inGraph, (y * width + x) * PHASES * group + first);
        }
      }
    }
  }

  /** The tables of what is coded. @param {Uint8Array} all */
  tables(all) {
    const found = new Uint8Array(this.height * this.width * this.group);
    let at = 0;
    this.visit((inGraph) => {
      found.set(all.subarray(inGraph, inGraph + this.group), at);
      at += this.group;
    });
    return found;
  }

  /**
   * Add symbols to their means, and copy the sums to v_hat.
   * @param {Int32Array} means @param {Int32Array} symbols @param {Int32Array} vHat
   */
  put(means, symbols, vHat) {
    let at = 0;
    this.visit((inGraph, inTile) => {
      for (let c = 0; c < this.group; c++) {
        vHat[inTile + c] = means[inGraph + c] += UNIT * symbols[at++];
      }
    });
  }
}

/**
 * The first rows and columns of features [1, C, h, w].
 * @param {import("./model.js").Ort["Tensor"]} Tensor
 * @param {import("./model.js").OrtTensor} features
 * @param {number} height @param {number} width
 */
function cut(Tensor, { data, dims }, height, width) {
  const [, channels, rows, columns] = dims;
  const kept = new Float32Array(channels * height * width);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      const from = (c * rows + y) * columns;
      kept.set(data.subarray(from, from + width), (c * height + y) * width);
    }
  }
  return new Tensor("float32", kept, [1, channels, height, width]);
}

/**
 * v_hat of a tile of a model without hyper-latents.
 * @param {Model} model @param {SymbolDecoder} source
 * @param {number} tenths @param {number} height @param {number} width positions
 * @returns {Promise<Int32Array>} [height, width, M] in 1/16 of a quantisation step
 */
export async function readFactorized(model, source, tenths, height, width) {
  const { data, shape: [rows, channels] } = model.table("table");
  const row = Math.min(Math.floor((tenths + 5) / 30), rows - 1);
  const count = height * width;
  const tables = Uint16Array.from({ length: channels * count }, (_, i) =>
    data[row * channels + Math.floor(i / count)]);
  const symbols = source.get(tables), vHat = new Int32Array(symbols.length);
  for (let c = 0, at = 0; c < channels; c++) {
    for (let i = 0; i < count; i++) vHat[i * channels + c] = UNIT * symbols[at++];
  }
  return vHat;
}
