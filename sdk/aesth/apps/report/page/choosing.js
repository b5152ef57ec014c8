// Which photos are shown, and in what order: pure functions over the photos of the sheet.

/** What a person asks to see; at first, all of it. */
function everything() {
  return {
    stars: new Set(),
    least: 0,
    most: 100,
    folder: "",
    from: "",
    to: "",
    bursts: "all",
    group: null,
    keptOnly: false,
  };
}

/** Whether anything is left out by what is asked. */
function isNarrowed(asked) {
  const all = everything();
  return Object.keys(all).some((key) => (key === "stars" ? asked.stars.size > 0 : asked[key] !== all[key]));
}

/** The photos that are asked for, in the order in which they are given. */
function chosen(photos, asked, folders, kept) {
  return photos.filter(
    (photo) =>
      (asked.stars.size === 0 || asked.stars.has(photo.stars)) &&
      photo.score >= asked.least &&
      photo.score <= asked.most &&
      isBelow(folders[photo.folder], asked.folder) &&
      isTaken(photo.taken, asked.from, asked.to) &&
      isOfBursts(photo, asked.bursts) &&
      (asked.group === null || photo.group === asked.group) &&
      (!asked.keptOnly || kept.has(photo)),
  );
}

/** Whether a folder is another one, or in it; every one is in "". */
function isBelow(folder, other) {
  return other === "" || folder === other || folder.startsWith(`${other}/`);
}

/** Whether a moment, as `2026-05-31T12:00:00` or null, is between two days, both included; no day is no limit. */
function isTaken(moment, from, to) {
  if (from === "" && to === "") return true;
  const day = moment === null ? "" : moment.slice(0, 10);
  return day !== "" && (from === "" || day >= from) && (to === "" || day <= to);
}

function isOfBursts(photo, bursts) {
  if (bursts === "best") return photo.best !== false;
  return bursts === "all" || photo.group !== null;
}

/** Photos in another order; those that are equal in it stay as they are. */
function ordered(photos, order) {
  const compare = {
    score: (one, other) => other.score - one.score,
    worst: (one, other) => one.score - other.score,
    oldest: (one, other) => compareTexts(one.taken ?? "~", other.taken ?? "~"),
    newest: (one, other) => compareTexts(other.taken ?? "", one.taken ?? ""),
    name: (one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }),
  }[order];
  return [...photos].sort(compare);
}

function compareTexts(one, other) {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** How many photos have 0 to 5 stars: an array of six. */
function countStars(photos) {
  const counts = [0, 0, 0, 0, 0, 0];
  for (const photo of photos) counts[photo.stars] += 1;
  return counts;
}

/** How many photos score in each of `bins` equal parts of 0 to 100; the last one holds 100, too. */
function histogram(photos, bins) {
  const counts = new Array(bins).fill(0);
  for (const photo of photos) counts[Math.min(bins - 1, Math.floor((photo.score * bins) / 100))] += 1;
  return counts;
}

/** The folders of photos and those that hold them, by name, each with how many photos are in it or below. */
function folderCounts(photos, folders) {
  const counts = new Map();
  for (const photo of photos) {
    const parts = folders[photo.folder].split("/");
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const folder = parts.slice(0, depth).join("/");
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
  }
  return [...counts].sort(([one], [other]) => compareTexts(one, other));
}
