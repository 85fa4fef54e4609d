// Everything that can be wrong, one class each; every message is one sentence for a person.
// The classes of docs/format.md, under the same names.

export class LatError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}
export class NotALatFile extends LatError {}
export class UnsupportedVersion extends LatError {}
export class CorruptHeader extends LatError {}
export class TruncatedFile extends LatError {}
export class CorruptChunk extends LatError {}
export class UnknownChunk extends LatError {}
export class TrailingData extends LatError {}
export class CorruptPayload extends LatError {}
export class CorruptAlpha extends LatError {}
export class UnknownModel extends LatError {}
export class CorruptWeights extends LatError {}
export class LimitExceeded extends LatError {}
/** The browser lacks something that a decoder needs. */
export class UnsupportedBrowser extends LatError {}
/** A file of the page, or the picture itself, could not be loaded. */
export class LoadError extends LatError {}

const CLASSES = [
  NotALatFile, UnsupportedVersion, CorruptHeader, TruncatedFile, CorruptChunk, UnknownChunk,
  TrailingData, CorruptPayload, CorruptAlpha, UnknownModel, CorruptWeights, LimitExceeded,
  UnsupportedBrowser, LoadError,
];

/**
 * An error as it is sent between worker and page.
 * @param {unknown} error
 * @returns {{name: string, message: string}}
 */
export function packError(error) {
  const known = error instanceof Error ? error : new Error(String(error));
  return { name: known.name, message: known.message };
}

/**
 * The error that `packError` packed, of its class.
 * @param {{name: string, message: string}} packed
 * @returns {Error}
 */
export function unpackError({ name, message }) {
  const kind = CLASSES.find((one) => one.name === name);
  return kind ? new kind(message) : Object.assign(new Error(message), { name });
}
