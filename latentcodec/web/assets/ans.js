// Symbols from bytes: the ANS coder of constriction (`stream.stack.AnsCoder`, 64 bits of state, 32
// of a word, 24 of a probability), over tables of integer counts. See docs/format.md.
import { CorruptPayload, CorruptWeights } from "./errors.js";

const TOTAL = 2 ** 24;
const LIMIT = 32767; // of a symbol
const START = 0x4c61; // the encoder's first state
const ZERO_TABLE = 0; // whose symbols are not coded
const COARSE_BITS = 14; // of a quantile, that are left out where a search begins

/** One table: where the interval of each symbol and of the escape begins. */
class Table {
  /** @param {Int32Array} counts of the symbols from the lowest up, then of the escape */
  constructor(counts) {
    const n = counts.length;
    this.lefts = new Uint32Array(n + 1);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      this.lefts[i] = Math.floor((sum * (TOTAL - n)) / TOTAL) + i;
      sum += counts[i];
    }
    this.lefts[n] = TOTAL;
    this.coarse = new Uint16Array(TOTAL >>> COARSE_BITS);
    for (let c = 0, i = 0; c < this.coarse.length; c++) {
      while (this.lefts[i + 1] <= c << COARSE_BITS) i++;
      this.coarse[c] = i;
    }
  }

  /** The symbol's place in the table. @param {number} quantile */
  find(quantile) {
    let low = this.coarse[quantile >>> COARSE_BITS];
    const next = (quantile >>> COARSE_BITS) + 1;
    let high = next < this.coarse.length ? this.coarse[next] : this.lefts.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.lefts[middle] <= quantile) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The tables of a model, built when first used. */
export class TableSet {
  /**
   * @param {Int32Array} lows the lowest symbol of each
   * @param {Int32Array} sizes how many symbols each has
   * @param {Int32Array} counts one table after another: its symbols and its escape
   */
  constructor(lows, sizes, counts) {
    this.lows = lows;
    this.sizes = sizes;
    /** @type {Int32Array[]} */
    this._counts = [];
    let start = 0;
    for (const size of sizes) {
      const own = counts.subarray(start, (start += size + 1));
      if (own.length !== size + 1 || own.reduce((a, b) => a + b, 0) !== TOTAL) {
        throw new CorruptWeights("a probability table of the model does not sum to one");
      }
      this._counts.push(own);
    }
    /** @type {Table[]} */
    this._made = [];
  }

  /**
   * Tables of -half..half, of which counts for 0..half and for the escape are stored.
   * @param {Int32Array} halves @param {Int32Array} counts
   */
  static symmetric(halves, counts) {
    /** @type {number[]} */
    const all = [];
    let start = 0;
    for (const half of halves) {
      const own = counts.subarray(start, (start += half + 2));
      for (let k = -half; k <= half; k++) all.push(own[Math.abs(k)]);
      all.push(own[half + 1]);
    }
    const sizes = halves.map((half) => 2 * half + 1);
    return new TableSet(halves.map((half) => -half), sizes, Int32Array.from(all));
  }

  /** @param {number} number */
  table(number) {
    return (this._made[number] ??= new Table(this._counts[number]));
  }
}

/** Reads the symbols of one payload, call by call. */
export class SymbolDecoder {
  /**
   * @param {Uint8Array} payload
   * @param {TableSet} tables
   */
  constructor(payload, tables) {
    if (payload.length % 4) {
      throw new CorruptPayload("a tile's payload is not a whole number of 32-bit words");
    }
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    this._words = Uint32Array.from({ length: payload.length / 4 }, (_, i) =>
      view.getUint32(4 * i, true));
    this._left = this._words.length;
    if (this._left && !this._words[this._left - 1]) {
      throw new CorruptPayload("a tile's payload ends in a zero word");
    }
    this._tables = tables;
    // The state is _high * 2 ** 32 + _low: integers of 64 bits would be slow.
    this._high = 0;
    this._low = 0;
    while (this._left && !this._high) this._refill();
  }

  _refill() {
    this._high = this._low;
    this._low = this._words[--this._left];
  }

  /**
   * Take an interval off the state.
   * @param {number} left where it begins
   * @param {number} width
   */
  _advance(left, width) {
    // floor(state / 2 ** 24), of 40 bits, as two parts whose products are exact in a double.
    const upper = this._high >>> 8;
    const lower = ((this._high & 0xff) << 8) | (this._low >>> 24);
    const small = lower * width + (this._low & 0xffffff) - left;
    const large = upper * width + Math.floor(small / 2 ** 16);
    this._high = Math.floor(large / 2 ** 16);
    this._low = (large % 2 ** 16) * 2 ** 16 + (small % 2 ** 16);
    if (!this._high && this._left) this._refill();
  }

  /**
   * The symbols of a call, in its order.
   * @param {Uint8Array | Uint16Array} tables the table of each
   * @returns {Int32Array}
   */
  get(tables) {
    const { order, starts } = byTable(tables);
    const symbols = new Int32Array(tables.length);
    /** @type {number[]} */
    const escaped = [];
    for (let number = 0; number + 1 < starts.length; number++) {
      if (number === ZERO_TABLE || starts[number] === starts[number + 1]) continue;
      const table = this._tables.table(number);
      const low = this._tables.lows[number], size = this._tables.sizes[number];
      for (let at = starts[number]; at < starts[number + 1]; at++) {
        const i = table.find(this._low & 0xffffff);
        this._advance(table.lefts[i], table.lefts[i + 1] - table.lefts[i]);
        if (i === size) escaped.push(order[at]);
        else symbols[order[at]] = i + low;
      }
    }
    for (const place of escaped) symbols[place] = this._escaped();
    return symbols;
  }

  _escaped() {
    const value = Math.min((this._low & 0xffffff) >>> 8, 2 * LIMIT);
    this._advance(value * 256, value === 2 * LIMIT ? TOTAL - value * 256 : 256);
    return value - LIMIT;
  }

  /** Throws CorruptPayload unless everything is read and the coder is where the encoder began. */
  finish() {
    if (this._left || this._high || this._low !== START) {
      throw new CorruptPayload("a tile's payload is not what an encoder wrote for its symbols");
    }
  }
}

/**
 * The places of a call sorted by their tables, and where each table's begin.
 * @param {Uint8Array | Uint16Array} tables
 */
function byTable(tables) {
  let count = 1;
  for (const table of tables) count = Math.max(count, table + 1);
  const starts = new Uint32Array(count + 1);
  for (const table of tables) starts[table + 1]++;
  for (let i = 0; i < count; i++) starts[i + 1] += starts[i];
  const next = starts.slice(), order = new Uint32Array(tables.length);
  for (let i = 0; i < tables.length; i++) order[next[tables[i]]++] = i;
  return { order, starts };
}
