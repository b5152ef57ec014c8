// Words and small elements that several parts of the page show.

/** An element with a class and a text, which is never taken for HTML. */
function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function starsText(stars) {
  return "★".repeat(stars) + "☆".repeat(5 - stars);
}

function countText(number, what) {
  return `${number.toLocaleString()} ${what}${number === 1 ? "" : "s"}`;
}

function dateText(moment) {
  if (moment === null) return "";
  return new Date(moment).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** What group a photo is in, in a few words. */
function groupText(photo, sizes) {
  if (photo.group === null) return "";
  const size = sizes.get(photo.group);
  if (photo.kind !== "burst") return `${photo.kind} of ${size}`;
  return photo.best ? `best of ${size}` : `one of ${size}`;
}

/** A photo as a screen reader tells it. */
function spokenText(photo, sizes) {
  const parts = [
    `Rank ${photo.rank}`,
    `score ${photo.score.toFixed(1)}`,
    countText(photo.stars, "star"),
    groupText(photo, sizes),
    photo.name,
  ];
  return parts.filter(Boolean).join(", ");
}
