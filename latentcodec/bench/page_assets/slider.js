"use strict";
// Two pictures on top of each other and a divider between them, with zoom.
(() => {
  const { sliders } = JSON.parse(document.getElementById("data").textContent);
  if (!sliders.length) {
    document.getElementById("sliders").remove();
    return;
  }
  const MAX_HEIGHT_PX = 680;
  const controls = document.getElementById("slider-controls");
  const frame = document.getElementById("slider");
  const state = { image: 0, left: 0, right: 1, split: 0.5, zoom: 0, panX: 0, panY: 0 };

  function make(tag, className, parent) {
    const node = document.createElement(tag);
    node.className = className;
    parent.append(node);
    return node;
  }

  const stage = make("div", "stage", frame);
  const layers = ["left", "right"].map((side) => {
    const layer = make("div", `layer ${side}`, stage);
    layer.style.cssText = "position:absolute;inset:0;overflow:hidden;pointer-events:none";
    const picture = make("img", "", layer);
    picture.draggable = false;
    return { layer, picture, tag: make("div", `tag ${side}`, stage) };
  });
  const divider = make("div", "divider", stage);
  const position = make("input", "position", frame);
  Object.assign(position, { type: "range", min: 0, max: 1000, ariaLabel: "Position of the divider" });

  function choice(label, options, changed) {
    const box = make("label", "", controls);
    const select = document.createElement("select");
    box.append(`${label} `, select);
    select.addEventListener("change", () => { changed(Number(select.value)); draw(); });
    fill(select, options);
    return select;
  }

  function fill(select, options) {
    select.replaceChildren(...options.map((text, index) => new Option(text, index)));
  }

  const labels = () => sliders[state.image].pictures.map((picture) => picture.label);
  const imageChoice = choice("Image", sliders.map((slider) => slider.image), (index) => {
    Object.assign(state, { image: index, panX: 0, panY: 0 });
    fill(sides.left, labels());
    fill(sides.right, labels());
  });
  const sides = {
    left: choice("Left", labels(), (index) => { state.left = index; }),
    right: choice("Right", labels(), (index) => { state.right = index; }),
  };
  imageChoice.id = "slider-image";
  sides.left.id = "slider-left";
  sides.right.id = "slider-right";
  const zooms = make("div", "", controls);
  const buttons = [["Fit", 0], ["1:1", 1], ["2x", 2], ["4x", 4]].map(([text, zoom]) => {
    const button = make("button", "zoom", zooms);
    button.textContent = text;
    button.addEventListener("click", () => { setZoom(zoom); });
    return { button, zoom };
  });

  function scale() {
    const { width, height } = sliders[state.image];
    return state.zoom || Math.min(frame.clientWidth / width, MAX_HEIGHT_PX / height);
  }

  function setZoom(zoom) {
    const { width, height } = sliders[state.image];
    const before = scale(), box = stage.getBoundingClientRect();
    // The middle of what is seen stays where it is.
    const middle = [box.width / 2 - state.panX, box.height / 2 - state.panY].map((v) => v / before);
    state.zoom = zoom;
    const after = scale();
    const size = stageSize(width, height);
    state.panX = size[0] / 2 - middle[0] * after;
    state.panY = size[1] / 2 - middle[1] * after;
    draw();
  }

  function stageSize(width, height) {
    return [Math.min(frame.clientWidth, width * scale()), Math.min(MAX_HEIGHT_PX, height * scale())];
  }

  function draw() {
    const { width, height, pictures } = sliders[state.image];
    state.left = Math.min(state.left, pictures.length - 1);
    state.right = Math.min(state.right, pictures.length - 1);
    const factor = scale(), [wide, high] = stageSize(width, height);
    state.panX = Math.min(0, Math.max(state.panX, wide - width * factor));
    state.panY = Math.min(0, Math.max(state.panY, high - height * factor));
    stage.style.width = `${wide}px`;
    stage.style.height = `${high}px`;
    stage.classList.toggle("zoomed", state.zoom > 0);
    [state.left, state.right].forEach((index, side) => {
      const { picture, tag } = layers[side], shown = pictures[index];
      if (picture.src !== shown.src) picture.src = shown.src;
      picture.alt = shown.label;
      picture.style.width = `${width}px`;
      picture.style.height = `${height}px`;
      picture.style.transform = `translate(${state.panX}px, ${state.panY}px) scale(${factor})`;
      tag.textContent = shown.figures ? `${shown.label}: ${shown.figures}` : shown.label;
    });
    const split = state.split * wide;
    layers[1].layer.style.clipPath = `inset(0 0 0 ${split}px)`;
    divider.style.left = `${split}px`;
    position.style.width = `${wide}px`;
    position.value = Math.round(state.split * 1000);
    sides.left.value = state.left;
    sides.right.value = state.right;
    for (const { button, zoom } of buttons) button.ariaPressed = String(zoom === state.zoom);
  }

  function moveDivider(clientX) {
    const box = stage.getBoundingClientRect();
    state.split = Math.min(1, Math.max(0, (clientX - box.left) / box.width));
    draw();
  }

  stage.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    const pans = state.zoom > 0 && event.target !== divider;
    let last = [event.clientX, event.clientY];
    if (!pans) moveDivider(event.clientX);
    const move = (next) => {
      if (!pans) { moveDivider(next.clientX); return; }
      state.panX += next.clientX - last[0];
      state.panY += next.clientY - last[1];
      last = [next.clientX, next.clientY];
      draw();
    };
    stage.addEventListener("pointermove", move);
    stage.addEventListener("lostpointercapture",
      () => { stage.removeEventListener("pointermove", move); }, { once: true });
  });
  position.addEventListener("input", () => { state.split = position.value / 1000; draw(); });
  window.addEventListener("resize", draw);
  draw();
})();
