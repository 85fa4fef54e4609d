// The example page: a gallery, a place to drop files, and a slider against JPEG of the same size.
import { configure } from "./latentcodec.js";

const JPEG_ROUNDS = 8; // halvings of the range of qualities

/** @param {string} id */
const element = (id) => /** @type {any} */ (document.getElementById(id));

/** What this page has in itself, by path, or null. */
function embeddedFiles() {
  const scripts = [...document.querySelectorAll("script[data-path]")];
  if (!scripts.length) return null;
  return Object.fromEntries(scripts.map((script) => {
    const path = String(script.getAttribute("data-path"));
    return [path, Uint8Array.from(atob(String(script.textContent)), (one) => one.charCodeAt(0))];
  }));
}

/** @param {number} value */
const grouped = (value) => value.toLocaleString("en");

/** @param {{bytes: number, width: number, height: number}} facts */
const bitsPerPixel = ({ bytes, width, height }) => ((8 * bytes) / (width * height)).toFixed(3);

class Viewer {
  constructor() {
    this._picture = element("picture");
    this._turn = 0; // which picture is being shown
    this._picture.addEventListener("error", (/** @type {CustomEvent} */ { detail }) =>
      this.fail(detail.message));
    element("split").addEventListener("input", () => this._split(element("split").value / 1000));
    const stage = element("stage");
    const move = (/** @type {PointerEvent} */ event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const { left, width } = stage.getBoundingClientRect();
      this._split(Math.min(Math.max((event.clientX - left) / width, 0), 1));
    };
    stage.addEventListener("pointerdown", move);
    stage.addEventListener("pointermove", move);
  }

  /**
   * Show a file, or one sentence.
   * @param {string} name
   * @param {() => Promise<Uint8Array | string>} open gives its bytes or its address
   */
  async show(name, open) {
    const turn = ++this._turn;
    element("problem").hidden = true;
    element("viewer").hidden = true;
    element("status").textContent = `${name} is being decoded…`;
    try {
      const source = await open();
      if (turn !== this._turn) return;
      this._clearJpeg();
      element("lat-tag").textContent = name;
      element("viewer").hidden = false;
      const start = performance.now();
      const whole = new Promise((resolve) => {
        this._picture.addEventListener("load", resolve, { once: true });
      });
      await this._picture.show(source);
      if (turn !== this._turn || !element("problem").hidden) return;
      const { detail } = /** @type {CustomEvent} */ (await whole);
      this._tell(name, detail, (performance.now() - start) / 1000);
      await this._compare(detail, turn);
    } catch (error) {
      if (turn === this._turn) this.fail(/** @type {Error} */ (error).message);
    }
  }

  /** @param {string} sentence */
  fail(sentence) {
    element("viewer").hidden = true;
    element("status").textContent = "";
    element("problem").textContent = sentence;
    element("problem").hidden = false;
  }

  /**
   * @param {string} name
   * @param {any} facts @param {number} seconds
   */
  _tell(name, facts, seconds) {
    const { width, height, bytes } = facts;
    const colours = `${facts.grey ? "grey" : "RGB"}${facts.alpha ? " with alpha" : ""}`;
    const rows = {
      Picture: `${width} x ${height} px, ${colours}${facts.icc ? ", with a colour profile" : ""}`,
      File: `${grouped(bytes)} bytes, ${bitsPerPixel(facts)} bits per pixel`,
      Quality: String(facts.quality),
      Model: `${facts.model} (${facts.hash})`,
      "Decoded in": `${seconds.toFixed(2)} s, with what had to be loaded first`,
    };
    element("facts").replaceChildren(...Object.entries(rows).flatMap(([term, text]) => {
      const [dt, dd] = ["dt", "dd"].map((tag) => document.createElement(tag));
      dt.textContent = term;
      dd.textContent = text;
      return [dt, dd];
    }));
    element("lat-tag").textContent = `${name}: ${grouped(bytes)} bytes`;
    element("status").textContent = "";
  }

  /** @param {any} facts @param {number} turn */
  async _compare({ bytes, alpha }, turn) {
    const found = await jpegOf(this._picture.canvas, bytes, alpha);
    if (turn !== this._turn) return;
    const image = element("jpeg");
    image.src = URL.createObjectURL(found.blob);
    await image.decode();
    for (const id of ["jpeg", "divider", "jpeg-tag", "split", "note"]) element(id).hidden = false;
    element("stage").classList.add("compared");
    const { quality, blob: { size } } = found;
    const tag = `JPEG, quality ${Math.round(100 * quality)}: ${grouped(size)} bytes`;
    element("jpeg-tag").textContent = size > bytes ? `${tag}, its smallest` : tag;
    this._split(0.5);
  }

  _clearJpeg() {
    const image = element("jpeg");
    if (image.src) URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
    for (const id of ["jpeg", "divider", "jpeg-tag", "split", "note"]) element(id).hidden = true;
    element("stage").classList.remove("compared");
    element("facts").replaceChildren();
  }

  /** @param {number} share of the width at which the JPEG begins */
  _split(share) {
    element("jpeg").style.clipPath = `inset(0 0 0 ${100 * share}%)`;
    element("divider").style.left = `${100 * share}%`;
    element("split").value = Math.round(1000 * share);
  }
}

/**
 * The JPEG of a canvas whose size comes nearest to a number of bytes from below.
 * @param {HTMLCanvasElement} canvas
 * @param {number} bytes
 * @param {boolean} alpha put it on white
 * @returns {Promise<{blob: Blob, quality: number}>} the smallest, where none is small enough
 */
async function jpegOf(canvas, bytes, alpha) {
  let source = canvas;
  if (alpha) {
    source = document.createElement("canvas");
    [source.width, source.height] = [canvas.width, canvas.height];
    const context = /** @type {CanvasRenderingContext2D} */ (source.getContext("2d"));
    context.fillStyle = "#fff";
    context.fillRect(0, 0, source.width, source.height);
    context.drawImage(canvas, 0, 0);
  }
  const at = /** @param {number} quality @returns {Promise<Blob>} */ (quality) =>
    new Promise((resolve, reject) => {
      source.toBlob((blob) => {
        if (blob) resolve(blob);
        else reject(new Error("this browser makes no JPEG of the picture"));
      }, "image/jpeg", quality);
    });
  let best = { blob: await at(0), quality: 0 };
  for (let round = 0, low = 0, high = 1; round < JPEG_ROUNDS; round++) {
    const quality = (low + high) / 2, blob = await at(quality);
    if (blob.size > bytes) high = quality;
    else {
      low = quality;
      best = { blob, quality };
    }
  }
  return best;
}

/** Let files be dropped and chosen. @param {Viewer} viewer */
function takeFiles(viewer) {
  const drop = element("drop");
  const show = (/** @type {File | undefined} */ file) => {
    if (!file) return;
    press(null);
    viewer.show(file.name, async () => new Uint8Array(await file.arrayBuffer()));
  };
  element("choose").addEventListener("change", () => show(element("choose").files[0]));
  // Wherever on the page it falls, or else the browser would leave for the file.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    show(event.dataTransfer?.files[0]);
  });
}

/** Mark a button of the gallery. @param {HTMLElement | null} chosen */
function press(chosen) {
  for (const button of element("gallery").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button === chosen));
  }
}

/** Bring the page to life. */
export function showPage() {
  const files = embeddedFiles();
  if (files) configure({ files });
  const viewer = new Viewer();
  takeFiles(viewer);
  /** @type {string[]} */
  const names = JSON.parse(element("pictures").textContent);
  const buttons = names.map((name) => {
    const button = document.createElement("button");
    button.textContent = name;
    button.addEventListener("click", () => {
      press(button);
      viewer.show(name, async () =>
        files?.[`pictures/${name}`] ?? `pictures/${encodeURIComponent(name)}`);
    });
    const item = document.createElement("li");
    item.append(button);
    element("gallery").append(item);
    return button;
  });
  buttons[0]?.click();
}
