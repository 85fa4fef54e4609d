// <lat-image src="photo.lat" alt="what it shows"></lat-image>

/** @typedef {typeof import("./latentcodec.js").decodeToCanvas} DecodeToCanvas */

const STYLE = `
  :host { display: inline-block; position: relative; }
  canvas { display: block; max-width: 100%; height: auto; }
  p { margin: 0; }
  [hidden] { display: none; }
`;
// The module is imported by workers, too, where there are no elements.
const Element = typeof HTMLElement === "undefined"
  ? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (class {})) : HTMLElement;

/**
 * Shows a `.lat` file, or one sentence that says why it cannot. Fires `load` when the picture is
 * whole, with what the file says of itself as `detail`, and `error` with the error.
 */
export class LatImage extends Element {
  static observedAttributes = ["src", "alt"];
  /** @type {DecodeToCanvas} */
  static decode;

  /** The element's class, with what decodes for it. @param {DecodeToCanvas} decode */
  static using(decode) {
    LatImage.decode = decode;
    return LatImage;
  }

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    style.textContent = STYLE;
    this._problem = document.createElement("p");
    this._problem.setAttribute("role", "alert");
    this._problem.hidden = true;
    /** The picture, in its own size. */
    this.canvas = document.createElement("canvas");
    root.append(style, this.canvas, this._problem);
    /** @type {AbortController | null} */
    this._running = null;
  }

  /** @param {string} name @param {string | null} _ @param {string | null} value */
  attributeChangedCallback(name, _, value) {
    if (name === "alt") {
      this.canvas.setAttribute("role", "img");
      this.canvas.setAttribute("aria-label", value ?? "");
    } else if (value !== null) {
      this.show(value);
    }
  }

  /**
   * Show another picture; what is shown or on its way is dropped.
   * @param {import("./latentcodec.js").Source} source
   * @returns {Promise<void>} fulfilled when it is shown, or its error is
   */
  async show(source) {
    this._running?.abort();
    const running = (this._running = new AbortController());
    this._problem.hidden = true;
    this.canvas.hidden = true;
    this.canvas.width = this.canvas.height = 0;
    try {
      const detail = await LatImage.decode(source, this.canvas, {
        signal: running.signal,
        onFacts: () => { this.canvas.hidden = false; },
      });
      this.dispatchEvent(new CustomEvent("load", { detail }));
    } catch (error) {
      if (running.signal.aborted) return;
      this.canvas.hidden = true;
      this._problem.textContent = /** @type {Error} */ (error).message;
      this._problem.hidden = false;
      this.dispatchEvent(new CustomEvent("error", { detail: error }));
    }
  }
}
