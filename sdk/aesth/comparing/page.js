"use strict";

const sides = ["left", "right"];
const at = (id) => document.getElementById(id);
const buttons = sides.map(at);
let question = null;
let busy = true;
let over = false;
const ahead = [];

function photo(number) {
  return `photo/${number}`;
}

async function ask(name, body) {
  const sent = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(name, sent);
  const told = await response.json();
  if (!response.ok) throw new Error(told.problem || response.statusText);
  return told;
}

function setBusy(now) {
  busy = now;
  at("photos").setAttribute("aria-busy", now);
}

function complain(error) {
  const stopped = error instanceof TypeError || error instanceof SyntaxError;
  at("problem").textContent = stopped
    ? "aesth does not answer: it was stopped. What you chose is kept; start it again to go on."
    : error.message;
  at("problem").hidden = false;
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function bar([name, share], place) {
  const drawn = element("i", "");
  drawn.style.setProperty("--share", `${100 * share}%`);
  drawn.classList.toggle("yours", place > 0);
  return [element("span", name), drawn, element("span", `${Math.round(100 * share)} of 100`)];
}

async function show(next) {
  question = next;
  const share = Math.min(question.chosen / question.goal, 1);
  at("count").textContent = `${question.chosen} of ${question.goal}`;
  at("bar").setAttribute("aria-valuemax", question.goal);
  at("bar").setAttribute("aria-valuenow", question.chosen);
  at("bar").firstElementChild.style.transform = `scaleX(${share})`;
  at("undo").disabled = !question.can_undo;
  at("finish").classList.toggle("ready", question.chosen >= question.goal);
  await Promise.all(buttons.map((button, side) => {
    const image = button.querySelector("img");
    const name = question.names[side];
    button.classList.remove("chosen", "passed");
    button.classList.add("loading");
    button.querySelector(".name").textContent = name;
    button.setAttribute("aria-label", `The ${sides[side]} photo, ${name}`);
    image.src = photo(question.pair[side]);
    return image.decode().then(() => {
      image.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
      button.classList.remove("loading");
    });
  }));
  ahead.length = 0;
  for (const number of question.following) {
    const image = new Image();
    image.src = photo(number);
    ahead.push(image);
  }
}

async function during(step) {
  if (busy || over) return;
  setBusy(true);
  try {
    await step();
    at("problem").hidden = true;
  } catch (error) {
    complain(error);
  }
  buttons.forEach((button) => button.classList.remove("chosen", "passed"));
  setBusy(false);
}

function answer(said) {
  return during(async () => {
    const side = sides.indexOf(said);
    buttons.forEach((button, other) => button.classList.add(other === side ? "chosen" : "passed"));
    const pause = new Promise((done) => setTimeout(done, side < 0 ? 0 : 140));
    const [next] = await Promise.all([ask("answer", { number: question.number, answer: said }), pause]);
    await show(next);
  });
}

function undo() {
  return during(async () => {
    if (question.can_undo) await show(await ask("undo", {}));
  });
}

function finish() {
  return during(async () => {
    at("finish").textContent = "Learning …";
    at("finish").disabled = true;
    try {
      const told = await ask("finish", {});
      over = true;
      at("bars").append(...told.shares.flatMap(bar));
      at("lines").append(...told.lines.map((line) => element("p", line)));
    } finally {
      at("finish").textContent = "Finish";
      at("finish").disabled = false;
    }
    for (const part of document.querySelectorAll("header, main, footer")) part.hidden = true;
    document.body.classList.add("over");
    at("end").hidden = false;
    at("end").focus();
  });
}

const keys = {
  ArrowLeft: () => answer("left"),
  ArrowRight: () => answer("right"),
  ArrowDown: () => answer("skip"),
  " ": () => answer("skip"),
  u: undo,
  U: undo,
  Backspace: undo,
};

addEventListener("keydown", (event) => {
  const undone = (event.ctrlKey || event.metaKey) && event.key === "z";
  if (!undone && (event.ctrlKey || event.metaKey || event.altKey)) return;
  const step = undone ? undo : keys[event.key];
  if (!step || event.repeat) return;
  if (event.key === " " && event.target.tagName === "BUTTON" && !event.target.classList.contains("photo")) return;
  event.preventDefault();
  step();
});
sides.forEach((side) => at(side).addEventListener("click", () => answer(side)));
at("undo").addEventListener("click", undo);
at("skip").addEventListener("click", () => answer("skip"));
at("finish").addEventListener("click", finish);

ask("question").then(show).catch(complain).finally(() => setBusy(false));
