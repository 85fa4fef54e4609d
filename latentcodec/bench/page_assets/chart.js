"use strict";
// The interactive curves: one SVG, drawn anew whenever a control changes.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const svg = document.getElementById("chart");
  const tip = document.getElementById("tip");
  const metricChoice = document.getElementById("metric");
  const imageChoice = document.getElementById("image");
  const logChoice = document.getElementById("log");
  const WIDTH = 1100, HEIGHT = 560, LEFT = 62, RIGHT = 16, TOP = 14, BOTTOM = 52;
  const LOG_TICKS = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20];
  const REACH_PX = 36;
  const hidden = new Set();
  let spots = [];

  // By matplotlib's letters, so that page and plots agree.
  const MARKERS = {
    s: "M-4-4H4V4H-4Z", D: "M0-5.5 5.5 0 0 5.5-5.5 0Z", "^": "M0-5.5 5 4H-5Z", v: "M0 5.5 5-4H-5Z",
    "<": "M-5.5 0 4-5V5Z", ">": "M5.5 0-4-5V5Z", x: "M-4-4 4 4M-4 4 4-4", "+": "M-5 0H5M0-5V5",
    P: "M-2-5H2V-2H5V2H2V5H-2V2H-5V-2H-2Z", X: "M-5-3-3-5 0-2 3-5 5-3 2 0 5 3 3 5 0 2-3 5-5 3-2 0Z",
    d: "M0-6 3.4 0 0 6-3.4 0Z", p: "M0-5.2 5-1.6 3.1 4.2-3.1 4.2-5-1.6Z",
    h: "M0-5 4.4-2.5V2.5L0 5-4.4 2.5V-2.5Z", H: "M-5 0-2.5-4.4H2.5L5 0 2.5 4.4H-2.5Z",
    1: "M0 0V5.5M0 0-4.8-3M0 0 4.8-3", 2: "M0 0V-5.5M0 0-4.8 3M0 0 4.8 3",
    3: "M0 0H-5.5M0 0 3 4.8M0 0 3-4.8", 4: "M0 0H5.5M0 0-3 4.8M0 0-3-4.8",
    "*": "M0-6 1.6-2 6-1.8 2.5.9 3.7 5.2 0 2.8-3.7 5.2-2.5.9-6-1.8-1.6-2Z",
  };
  const CIRCLE = "M-4.2 0A4.2 4.2 0 1 0 4.2 0 4.2 4.2 0 1 0-4.2 0Z";

  function element(name, attributes, parent) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    parent.append(node);
    return node;
  }

  function curves() {
    const column = metricChoice.value, image = imageChoice.value;
    const measured = data.codecs.map((codec) => ({
      ...codec, published: false, points: image ? codec.images[image] || [] : codec.mean,
    }));
    // What others published are means over their images, so it belongs to the mean alone.
    const others = image ? [] : data.published.map((curve) => ({
      ...curve, label: `${curve.label} (published)`, published: true, color: "#8a8a90", marker: "o",
    }));
    return [...measured, ...others]
      .map((curve) => ({
        ...curve, points: curve.points.filter((p) => typeof p[column] === "number"),
      }))
      .filter((curve) => curve.points.length);
  }

  function ticks(low, high) {
    const raw = (high - low) / 8, unit = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((k) => k * unit).find((s) => s >= raw);
    const found = [];
    for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(+(k * step).toFixed(6));
    return found;
  }

  function scales(shown) {
    const points = shown.flatMap((curve) => curve.points);
    const column = metricChoice.value, log = logChoice.checked;
    const along = log ? Math.log : (v) => v;
    const rates = points.map((p) => p.bpp), values = points.map((p) => p[column]);
    const x0 = log ? Math.log(Math.min(...rates) / 1.08) : 0;
    const x1 = log ? Math.log(Math.max(...rates) * 1.08) : Math.max(...rates) * 1.03;
    const margin = (Math.max(...values) - Math.min(...values)) * 0.04 || 1;
    const y0 = Math.min(...values) - margin, y1 = Math.max(...values) + margin;
    return {
      x: (v) => LEFT + ((along(v) - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT),
      y: (v) => HEIGHT - BOTTOM - ((v - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM),
      xTicks: log
        ? LOG_TICKS.filter((t) => Math.log(t) >= x0 && Math.log(t) <= x1) : ticks(x0, x1),
      yTicks: ticks(y0, y1),
    };
  }

  function drawAxes(scale) {
    const bottom = HEIGHT - BOTTOM;
    for (const t of scale.xTicks) {
      const x = scale.x(t);
      element("line", { x1: x, x2: x, y1: TOP, y2: bottom, class: "grid" }, svg);
      element("text", { x, y: bottom + 20, "text-anchor": "middle" }, svg).textContent = t;
    }
    for (const t of scale.yTicks) {
      const y = scale.y(t);
      element("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, class: "grid" }, svg);
      element("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, svg).textContent = t;
    }
    element("path", { d: `M${LEFT} ${TOP}V${bottom}H${WIDTH - RIGHT}`, class: "axis",
      fill: "none" }, svg);
    element("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, svg)
      .textContent = `bits per pixel, size of the file (${logChoice.checked ? "log" : "linear"})`;
    element("text", { transform: `translate(16 ${HEIGHT / 2}) rotate(-90)`,
      "text-anchor": "middle" }, svg).textContent = metricChoice.selectedOptions[0].textContent;
  }

  function drawCurve(curve, scale) {
    const column = metricChoice.value;
    const places = curve.points.map((p) => [scale.x(p.bpp), scale.y(p[column])]);
    const line = "M" + places.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
    const style = { fill: "none", stroke: curve.color,
      "stroke-width": curve.published ? 1.2 : curve.name === "lat" ? 2.6 : 1.8 };
    if (curve.published) style["stroke-dasharray"] = "6 4";
    element("path", { d: line, class: "curve", "data-label": curve.label, ...style }, svg);
    curve.points.forEach((point, index) => {
      const [x, y] = places[index];
      const size = curve.published ? 0.6 : 1;
      element("path", { d: MARKERS[curve.marker] || CIRCLE, fill: curve.color, stroke: curve.color,
        transform: `translate(${x} ${y}) scale(${size})`, class: "marker" }, svg);
      spots.push({ x, y, point, curve });
    });
  }

  function draw() {
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.replaceChildren();
    tip.hidden = true;
    spots = [];
    const all = curves(), shown = all.filter((curve) => !hidden.has(curve.label));
    if (shown.length) {
      const scale = scales(shown);
      drawAxes(scale);
      for (const curve of [...shown].reverse()) drawCurve(curve, scale);
    }
    drawLegend(all);
  }

  function drawLegend(all) {
    const legend = document.getElementById("legend");
    legend.replaceChildren(...all.map((curve) => {
      const button = document.createElement("button");
      const icon = element("svg", { width: 34, height: 14, viewBox: "-17 -7 34 14" }, button);
      element("path", { d: "M-17 0H17", stroke: curve.color, "stroke-width": 2,
        ...(curve.published ? { "stroke-dasharray": "6 4" } : {}) }, icon);
      element("path", { d: MARKERS[curve.marker] || CIRCLE, fill: curve.color,
        stroke: curve.color, transform: `scale(${curve.published ? 0.6 : 1})` }, icon);
      button.append(curve.label);
      button.title = curve.source || curve.version;
      button.className = hidden.has(curve.label) ? "off" : "";
      button.addEventListener("click", () => {
        if (!hidden.delete(curve.label)) hidden.add(curve.label);
        draw();
      });
      return button;
    }));
  }

  function describe({ point, curve }) {
    const rate = `${point.bpp.toFixed(3)} bpp`;
    const size = `${imageChoice.value ? "" : "mean "}${Math.round(point.bytes).toLocaleString("en")}`;
    const quality = `${metricChoice.selectedOptions[0].textContent}: `
      + point[metricChoice.value].toFixed(2);
    return curve.published ? `${curve.label}\n${rate}\n${quality}`
      : `${curve.label}\nsetting ${point.setting}\n${size} bytes, ${rate}\n${quality}`;
  }

  function hover(event) {
    const box = svg.getBoundingClientRect(), zoom = WIDTH / box.width;
    const x = (event.clientX - box.left) * zoom, y = (event.clientY - box.top) * zoom;
    const near = spots.map((spot) => ({ spot, away: Math.hypot(spot.x - x, spot.y - y) }))
      .reduce((best, next) => (next.away < best.away ? next : best), { away: REACH_PX * zoom });
    tip.hidden = !near.spot;
    if (!near.spot) return;
    tip.textContent = describe(near.spot);
    const left = near.spot.x / zoom, room = box.width - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(left + 14, room))}px`;
    tip.style.top = `${near.spot.y / zoom + 12}px`;
  }

  for (const metric of data.metrics) metricChoice.add(new Option(metric.label, metric.column));
  imageChoice.add(new Option("mean of all", ""));
  for (const name of new Set(data.codecs.flatMap((codec) => Object.keys(codec.images)))) {
    imageChoice.add(new Option(name, name));
  }
  for (const control of [metricChoice, imageChoice, logChoice]) {
    control.addEventListener("change", draw);
  }
  svg.addEventListener("pointermove", hover);
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  draw();
})();
