// A model: its tables, and its networks on ONNX Runtime Web. See docs/onnx.md.
import { SymbolDecoder, TableSet } from "./ans.js";
import { CorruptWeights, UnknownModel } from "./errors.js";
import { readFactorized, readHyper } from "./prior.js";
import { readTensors } from "./tensors.js";

/**
 * What is used of ONNX Runtime Web.
 * @typedef {{data: any, dims: readonly number[]}} OrtTensor
 * @typedef {object} OrtSession
 * @property {(feeds: Record<string, OrtTensor>) => Promise<Record<string, OrtTensor>>} run
 * @typedef {object} Ort
 * @property {any} env
 * @property {new (type: string, data: any, dims: readonly number[]) => OrtTensor} Tensor
 * @property {OrtSessions} InferenceSession
 * @typedef {{create: (model: Uint8Array, options: object) => Promise<OrtSession>}} OrtSessions
 *
 * @typedef {{ort: Ort, gpu: Ort | null}} Runtimes the second one is for the synthesis alone
 *
 * @typedef {import("./tensors.js").Tensor} Tensor
 */

const QUALITY_ROWS = 100;
const MAX_HALO = 32; // half a tile

export class Model {
  /**
   * @param {Runtimes} runtimes
   * @param {import("./files.js").FileStore} files
   * @param {string} folder
   * @param {{tensors: Record<string, Tensor>, family: string, config: any}} read
   */
  constructor({ ort, gpu }, files, folder, { tensors, family, config }) {
    this.ort = ort;
    this._gpu = gpu;
    this._files = files;
    this._folder = folder;
    this._tensors = tensors;
    /** @type {Map<string, Promise<OrtSession>>} */
    this._sessions = new Map();
    this.isHyper = family === "hyper";
    this.config = config;
    /** @type {number} channels of y */
    this.latents = config.latents;
    const reach = Math.floor(config.kernel / 2);
    /** How far, in latent positions, a pixel sees. */
    this.halo = Math.max(
      reach * config.synthesis_blocks_16 + Math.ceil((reach * config.synthesis_blocks_8) / 2),
      config.lapped ? 1 : 0,
    );
    if (!(this.halo <= MAX_HALO)) throw new CorruptWeights("the model sees too far");
    const counts = this.tensor("tables.counts");
    this.tables = this.isHyper
      ? TableSet.symmetric(this.tensor("tables.halves"), counts)
      : new TableSet(this.tensor("tables.lows"), this.tensor("tables.sizes"), counts);
  }

  /** What runs the synthesis: "webgpu" or "wasm". */
  get synthesis() {
    return this._gpu ? "webgpu" : "wasm";
  }

  /** The numbers of a tensor of tables.safetensors. @param {string} name @returns {Int32Array} */
  tensor(name) {
    const found = this._tensors[name];
    if (!found) throw new CorruptWeights(`the model lacks the tensor ${name}`);
    return Int32Array.from(found.data);
  }

  /**
   * The row of a table for a quality in tenths, interpolated on integers.
   * @param {string} name @param {number} tenths
   * @returns {Int32Array}
   */
  row(name, tenths) {
    const { data, shape: [rows, columns] } = this._tensors[`quality.${name}`];
    if (rows !== QUALITY_ROWS) throw new CorruptWeights(`the table ${name} is misshapen`);
    const low = Math.floor((tenths - 10) / 10), part = (tenths - 10) % 10;
    const high = Math.min(low + 1, rows - 1);
    return Int32Array.from({ length: columns }, (_, i) => Math.floor(
      ((10 - part) * data[low * columns + i] + part * data[high * columns + i] + 5) / 10));
  }

  /** A table that is not interpolated. @param {string} name */
  table(name) {
    return this._tensors[`quality.${name}`];
  }

  /**
   * Run a graph of docs/onnx.md.
   * @param {string} graph
   * @param {Record<string, OrtTensor>} feeds
   */
  async run(graph, feeds) {
    const session = await this.session(graph);
    return session.run(feeds);
  }

  /** @param {string} graph @returns {Promise<OrtSession>} */
  session(graph) {
    let made = this._sessions.get(graph);
    if (!made) {
      // The prior stays where convolutions are known to be plain sums of products.
      made = this._create(graph, graph === "g_s" ? this._gpu : null);
      this._sessions.set(graph, made);
    }
    return made;
  }

  /** @param {string} graph @param {Ort | null} gpu */
  async _create(graph, gpu) {
    const data = await this._files.readPlanes(`${this._folder}/${graph}.onnx`);
    const executionProviders = gpu ? ["webgpu", "wasm"] : ["wasm"];
    // So weights in int8 are widened once, and not in each run.
    const extra = { session: { disable_quant_qdq: "1" } };
    const options = { executionProviders, logSeverityLevel: 3, extra };
    return (gpu ?? this.ort).InferenceSession.create(data, options);
  }

  /** Load and prepare every network that a picture needs. */
  async prepare() {
    const steps = this.isHyper ? ["h_s", "context_0", "context_1", "context_2", "context_3"] : [];
    for (const graph of steps) await this.session(graph);
    await this.session("g_s").catch((error) => { // `synthesise` tries without the GPU
      if (!this._gpu) throw error;
    });
  }

  /**
   * A tile's v_hat, [height, width, M] in 1/16 of a quantisation step.
   * @param {Uint8Array} payload
   * @param {number} tenths @param {number} height @param {number} width positions
   * @returns {Promise<Int32Array>}
   */
  async decodeLatents(payload, tenths, height, width) {
    const source = new SymbolDecoder(payload, this.tables);
    const read = this.isHyper ? readHyper : readFactorized;
    const vHat = await read(this, source, tenths, height, width);
    source.finish();
    return vHat;
  }

  /**
   * Pixels, RGB [16 height, 16 width, 3], of v_hat.
   * @param {Float32Array} vHat
   * @param {number} tenths @param {number} height @param {number} width positions
   * @returns {Promise<Uint8Array>}
   */
  async synthesise(vHat, tenths, height, width) {
    const level = ((tenths / 10 - 1) / 99) * (this.config.anchors - 1);
    const { Tensor } = this._gpu ?? this.ort;
    try {
      const { pixels } = await this.run("g_s", {
        v_hat: new Tensor("float32", vHat, [height, width, this.latents]),
        level: new Tensor("float32", new Float32Array([level]), [1]),
      });
      return pixels.data;
    } catch (error) {
      if (!this._gpu) throw error;
      this._gpu = null; // it is lost, or too small
      this._sessions.delete("g_s");
      return this.synthesise(vHat, tenths, height, width);
    }
  }
}

/**
 * A table [qualities, columns] of its second differences along the quality, [columns, qualities].
 * @param {Int32Array} bends
 * @param {number[]} shape
 * @returns {Tensor}
 */
function summed(bends, [columns, rows]) {
  const data = new Int32Array(bends.length);
  for (let column = 0, at = 0; column < columns; column++) {
    for (let row = 0, slope = 0, sum = 0; row < rows; row++) {
      sum = (sum + (slope = (slope + bends[at++]) | 0)) | 0; // modulo 2^32
      data[row * columns + column] = sum;
    }
  }
  return { data, shape: [rows, columns] };
}

/**
 * The model that a file names. Throws UnknownModel where the page does not have it.
 * @param {Runtimes} runtimes
 * @param {import("./files.js").FileStore} files
 * @param {import("./container.js").Header} header
 */
export async function loadModel(runtimes, files, { model, hash }) {
  const codes = await files.json("models/index.json");
  if (codes[hash] !== model) {
    throw new UnknownModel(
      `the file was made with model ${model} (${hash}), which this page does not have`);
  }
  const folder = `models/${hash}`;
  const tables = await files.readPlanes(`${folder}/tables.safetensors`);
  const { tensors, metadata } = readTensors(tables);
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name.startsWith("quality.") && tensor.data instanceof Int32Array) {
      tensors[name] = summed(tensor.data, tensor.shape);
    }
  }
  const { family, config } = JSON.parse(metadata.latentcodec);
  return new Model(runtimes, files, folder, { tensors, family, config });
}
