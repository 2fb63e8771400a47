
for (const figure of document.querySelectorAll(".frames")) {
  const frames = figure.querySelectorAll("img");
  const slider = figure.querySelector("input");
  slider.hidden = false;
  slider.addEventListener("input", () => {
    frames.forEach((frame, index) => { frame.hidden = index !== slider.valueAsNumber; });
    figure.querySelector("output").textContent = frames[slider.valueAsNumber].dataset.name;
  });
}
